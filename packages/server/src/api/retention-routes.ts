import { RetentionAnswer, RetentionChange } from '@thalweg/model';
import { apiError } from '../errors.ts';
import { checkChange } from '../storage/retention-choice.ts';
import { defineRoute } from './route.ts';

const PATH = '/api/retention';

/** How long and how much is kept of each table; changed while the server runs. */
export const RETENTION_ROUTES = [
  defineRoute({
    path: PATH,
    doc: 'How long and how much is kept of each table, where that comes from, and what it takes.',
    answer: RetentionAnswer,
    handle: (_input, { retention }) => retention.read(),
  }),
  defineRoute({
    method: 'PUT',
    path: PATH,
    doc: 'Changes the hours and the most bytes of tables, at once and for later starts.',
    body: RetentionChange,
    answer: RetentionAnswer,
    handle: async ({ body }, { retention }) => {
      const checked = checkChange(body);
      if (checked.kind === 'invalid') {
        throw apiError('retention_invalid', { reason: checked.mistakes.join('; ') });
      }
      await retention.change(checked);
      return retention.read();
    },
  }),
];
