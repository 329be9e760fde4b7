import { appendFile } from 'node:fs/promises';
import { compileExpression } from '../../core/match/expression.ts';
import type { Expression } from '../../core/objects.ts';
import { definePlugin } from '../plugin.ts';
import { createLineFile } from './line-file.ts';
import { LOG_FIELDS, LOG_METADATA, type LogFields, logFieldsFault } from './log-fields.ts';
import { createRequestLog } from './request-log.ts';

interface FileLogger extends LogFields {
  readonly path?: string;
  /** Logged when one of them holds. */
  readonly match?: readonly Expression[];
}

/** How long lines are gathered. */
const FLUSH_MS = 5;

/** Appends an entry of each request to a file, one JSON line each. */
export const fileLogger = definePlugin<FileLogger>({
  name: 'file-logger',
  priority: 399,
  observes: true,
  summary: 'Appends an entry of each request to a file, as lines of JSON.',
  schema: {
    type: 'object',
    properties: {
      path: { type: 'string', minLength: 1 },
      match: { type: 'array', maxItems: 20, items: { type: 'array' } },
      ...LOG_FIELDS,
    },
  },
  metadataSchema: {
    type: 'object',
    properties: { path: { type: 'string' }, ...LOG_METADATA },
  },
  check(conf) {
    for (const rule of conf.match ?? []) {
      const compiled = compileExpression(rule);
      if (compiled.kind === 'invalid') {
        return `failed to validate the 'match' expression: ${compiled.reason}`;
      }
    }
    return logFieldsFault(conf);
  },
  create(conf, environment) {
    const given = conf.path ?? environment.metadata()?.['path'];
    const path = typeof given === 'string' ? given : undefined;
    if (path === undefined) {
      environment.warn('no path, neither here nor in the metadata: nothing is logged');
      return {};
    }
    const log = createRequestLog(conf, environment);
    const rules = (conf.match ?? []).map((rule) => compileExpression(rule));
    const file = createLineFile(
      { name: 'file logger', flushMs: FLUSH_MS },
      { ...environment, book: environment.batches, append: (text) => appendFile(path, text) },
    );
    return {
      ...log.handlers,
      log(context) {
        const isWanted =
          rules.length === 0 ||
          rules.some(
            (rule) =>
              rule.kind === 'expression' && rule.holds((variable) => context.values(variable)),
          );
        if (!isWanted) return;
        const line = JSON.stringify(log.entry(context));
        file.push(line, context.route?.id ?? '', context.peer.localAddress);
      },
      close: () => file.close(),
    };
  },
});
