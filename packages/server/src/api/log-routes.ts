import { LogSearchAnswer, LogSearchQuery } from '@thalweg/model';
import { searchLogs } from '../logs/search.ts';
import { defineRoute } from './route.ts';

/** The UI's questions about logs. */
export const LOG_ROUTES = [
  defineRoute({
    path: '/api/logs',
    doc: 'Searches log records, the newest first.',
    query: LogSearchQuery,
    answer: LogSearchAnswer,
    handle: ({ query }, { store }) => searchLogs(store, query),
  }),
];
