import { type CompiledExpression, compileExpression } from '../../core/match/expression.ts';
import type { PluginConf } from '../../core/objects.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { Handlers, PluginEnvironment } from '../plugin.ts';
import { type BodyCopy, createBodyCopy } from './body-copy.ts';
import { maskedBody } from './body-mask.ts';
import {
  formatted,
  formattedEntry,
  fullEntry,
  type LogEntry,
  type LoggedBodies,
} from './log-entry.ts';
import type { LogFields } from './log-fields.ts';

/** What loggers have in common: copies of bodies while they pass, and the entry at the end. */
export interface RequestLog {
  /** Only the phases that are needed for what is asked. */
  readonly handlers: Pick<Handlers, 'access' | 'body_filter'>;
  entry(context: RequestContext): LogEntry;
}

export function createRequestLog(conf: LogFields, environment: PluginEnvironment): RequestLog {
  const requestCopy = Symbol('request body');
  const responseCopy = Symbol('response body');
  const wantsRequest = condition(conf.include_req_body_expr);
  const wantsResponse = condition(conf.include_resp_body_expr);
  const metadata = environment.metadata();
  const format = conf.log_format ?? section(metadata, 'log_format');
  const extra = conf.log_format_extra ?? section(metadata, 'log_format_extra');

  function copyRequest(context: RequestContext): undefined {
    if (!wantsRequest(context)) return undefined;
    const copy = createBodyCopy(conf.max_req_body_bytes);
    context.body.watch(copy);
    context.setSlot(requestCopy, copy);
    return undefined;
  }

  function copyResponse(context: RequestContext, bytes: Buffer): Buffer {
    let copy = context.slot<BodyCopy | 'none'>(responseCopy);
    if (copy === undefined) {
      copy = wantsResponse(context) ? createBodyCopy(conf.max_resp_body_bytes) : 'none';
      context.setSlot(responseCopy, copy);
    }
    if (copy !== 'none') copy.data(bytes);
    return bytes;
  }

  function bodiesOf(context: RequestContext): LoggedBodies {
    const request = context.slot<BodyCopy>(requestCopy);
    const response = context.slot<BodyCopy | 'none'>(responseCopy);
    const coding = context.response?.fields.get('content-encoding');
    return {
      request: maskedBody(context, request?.text(context.headers.get('content-encoding'))),
      response: response === 'none' ? undefined : response?.text(coding),
    };
  }

  return {
    handlers: {
      ...(conf.include_req_body ? { access: copyRequest } : {}),
      ...(conf.include_resp_body ? { body_filter: copyResponse } : {}),
    },
    entry(context) {
      const bodies = bodiesOf(context);
      if (format === undefined) {
        const full = fullEntry(context, environment.facts, bodies);
        return extra === undefined ? full : { ...full, ...formatted(context, extra, 1) };
      }
      if (bodies.request !== undefined) context.setVariable('request_body', bodies.request);
      if (bodies.response !== undefined) context.setVariable('resp_body', bodies.response);
      return formattedEntry(context, { ...format, ...extra });
    },
  };
}

function condition(given: unknown): (context: RequestContext) => boolean {
  const compiled: CompiledExpression | undefined =
    given === undefined ? undefined : compileExpression(given);
  if (compiled === undefined) return () => true;
  if (compiled.kind === 'invalid') return () => false;
  return (context) => compiled.holds((name) => context.values(name));
}

function section(metadata: PluginConf | undefined, key: string): LogEntry | undefined {
  const found = metadata?.[key];
  if (typeof found !== 'object' || found === null) return undefined;
  // Checked edge: the metadata's schema has accepted it. An empty format is none.
  return Object.keys(found).length === 0 ? undefined : (found as LogEntry);
}
