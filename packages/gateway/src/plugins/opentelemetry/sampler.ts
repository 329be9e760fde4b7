type RootName = 'always_on' | 'always_off' | 'trace_id_ratio';

interface RootSampler {
  readonly name: RootName;
  readonly options?: { readonly fraction?: number };
}

export interface SamplerConf {
  readonly name: RootName | 'parent_base';
  readonly options?: { readonly fraction?: number; readonly root?: RootSampler };
}

const ROOTS = ['always_on', 'always_off', 'trace_id_ratio'] as const;
const FRACTION = { type: 'number', default: 0 } as const;

export const SAMPLER = {
  type: 'object',
  properties: {
    name: { type: 'string', enum: [...ROOTS, 'parent_base'], default: 'always_off' },
    options: {
      type: 'object',
      properties: {
        fraction: FRACTION,
        root: {
          type: 'object',
          properties: {
            name: { type: 'string', enum: ROOTS, default: 'always_off' },
            options: {
              type: 'object',
              properties: { fraction: FRACTION },
              default: { fraction: 0 },
            },
          },
          default: { name: 'always_off', options: { fraction: 0 } },
        },
      },
      default: {},
    },
  },
  default: { name: 'always_off', options: {} },
} as const;

/** Whether a trace is recorded; `parent` is what the caller has decided, undefined without one. */
export function isSampled(
  conf: SamplerConf,
  traceId: string,
  parent: boolean | undefined,
): boolean {
  if (conf.name !== 'parent_base') return byRoot(conf.name, conf.options?.fraction, traceId);
  if (parent !== undefined) return parent;
  const root = conf.options?.root;
  return byRoot(root?.name ?? 'always_off', root?.options?.fraction, traceId);
}

/** The ratio goes by the first 32 bits of the id, so that services of one ratio agree. */
function byRoot(name: RootName, fraction = 0, traceId: string): boolean {
  if (name === 'always_on') return true;
  if (name === 'always_off') return false;
  return Number.parseInt(traceId.slice(0, 8), 16) < fraction * 2 ** 32;
}
