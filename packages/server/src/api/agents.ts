/** What an agent told with its last batch. Counts are its own totals since it started. */
export interface AgentReport {
  readonly name: string;
  readonly lastSeenMs: number;
  readonly rows: number;
  readonly lostEvents: number;
  readonly droppedRows: number;
}

export interface Agents {
  seen(report: Omit<AgentReport, 'rows'>, rows: number): void;
  list(): readonly AgentReport[];
  /** Over all agents and their restarts, since this server started. */
  lost(): { readonly events: number; readonly rows: number };
}

const AGENTS_MAX = 10_000;

/** Remembers which agents send, and adds up what they lost. */
export function createAgents(): Agents {
  const byName = new Map<string, AgentReport>();
  const total = { events: 0, rows: 0 };
  return {
    seen(report, rows) {
      const before = byName.get(report.name);
      if (before === undefined && byName.size >= AGENTS_MAX) return;
      // A total that fell belongs to a new run of the agent.
      total.events += growth(before?.lostEvents, report.lostEvents);
      total.rows += growth(before?.droppedRows, report.droppedRows);
      byName.set(report.name, { ...report, rows: rows + (before?.rows ?? 0) });
    },
    list: () => [...byName.values()],
    lost: () => ({ ...total }),
  };
}

function growth(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before;
}
