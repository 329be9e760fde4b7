/** Who an entry of a batch belongs to: the labels of `batch_process_entries`. */
export interface BatchLabel {
  /** What the plugin calls its batches: `http logger`, `opentelemetry`. */
  readonly name: string;
  readonly routeId: string;
  /** The gateway's own address that the request came to. */
  readonly serverAddr: string;
}

export interface BatchCounters {
  readonly label: BatchLabel;
  /** Held or being sent. */
  pending: number;
  /** Taken by the other side. */
  sent: number;
  /** Lost: the queue was full, or the last try to send has failed. */
  dropped: number;
}

/** What became of all entries of all batches, by label; outlives the plugins' instances. */
export interface BatchBook {
  counters(label: BatchLabel): BatchCounters;
  list(): readonly BatchCounters[];
}

/** Labels held; those past it share one, so that nothing goes uncounted. */
const LABELS_MAX = 10_000;

export function createBatchBook(): BatchBook {
  const byKey = new Map<string, BatchCounters>();

  function entry(key: string, label: BatchLabel): BatchCounters {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const made = { label, pending: 0, sent: 0, dropped: 0 };
    byKey.set(key, made);
    return made;
  }

  return {
    counters(label) {
      const { name, routeId, serverAddr } = label;
      const key = `${name}\n${routeId}\n${serverAddr}`;
      if (byKey.has(key) || byKey.size < LABELS_MAX) return entry(key, label);
      return entry('', { name: 'others', routeId: '', serverAddr: '' });
    },
    list: () => [...byKey.values()],
  };
}
