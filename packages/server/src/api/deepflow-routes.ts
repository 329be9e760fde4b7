import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { flowTracing } from '../deepflow/flow-tracing.ts';
import { ApiError } from '../errors.ts';
import { readTrace } from '../traces/trace.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

const Asked = z
  .object({
    DATABASE: z.literal('flow_log').default('flow_log'),
    TABLE: z.literal('l7_flow_log').default('l7_flow_log'),
    _id: z.coerce.string().max(64).optional(),
    trace_id: z.string().max(64).optional(),
  })
  .refine(({ _id, trace_id }) => (_id ?? trace_id ?? '') !== '', {
    message: 'give _id (of a row) or trace_id',
  });

/** POST /v1/stats/querier/L7FlowTracing: the trace of a row or a trace id, in DeepFlow's shape. */
export function addDeepflowRoutes(app: FastifyInstance, { store }: Services): void {
  app.post('/v1/stats/querier/L7FlowTracing', async (request, reply) => {
    const { _id, trace_id } = parseInput(Asked, request.body);
    try {
      const trace = await readTrace(untilGone(store, reply), _id ?? trace_id ?? '');
      return { OPT_STATUS: 'SUCCESS', DESCRIPTION: '', DATA: flowTracing(trace) };
    } catch (error) {
      // DeepFlow answers an unknown id with an empty trace.
      if (!(error instanceof ApiError) || error.code !== 'trace_not_found') throw error;
      const DATA = { tracing: [], services: [] };
      return reply.send({ OPT_STATUS: 'SUCCESS', DESCRIPTION: error.message, DATA });
    }
  });
}
