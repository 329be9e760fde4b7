/** What was seen of an exchange at one point, by the clock of the agent that saw it. */
export interface Sighting {
  readonly agent: string;
  readonly wireId: string;
  readonly startUs: number;
  readonly endUs: number;
  /** Request and answer were both seen. */
  readonly isComplete: boolean;
}

export interface Clock {
  /** By how much it is ahead of the reference, in microseconds. */
  readonly offsetUs: number;
  /** The true offset lies within this of `offsetUs`, as far as times are when messages passed. */
  readonly errorUs: number;
}

/** What exchanges between two agents allow the second one's clock to be ahead of the first's. */
interface Bounds {
  leastUs: number;
  mostUs: number;
}

/** The resolution of times in rows. */
const ERROR_US_MIN = 1;

/**
 * How far the clocks of agents are ahead of that of `reference`, by exchanges that two agents saw:
 * `sightings` of one wire id stand in order from client to server. A request does not arrive before it
 * was sent, nor an answer: each exchange bounds the offset from both sides, and the bounds of all
 * are cut with each other. Half of what is left is the error; across a third agent errors add up.
 * Agents without such an exchange are left out. Source: the bounds that NTP's four times give (RFC
 * 5905 §8). Linear in the sightings.
 */
export function estimateClocks(
  sightings: readonly Sighting[],
  reference: string,
): ReadonlyMap<string, Clock> {
  const between = boundsOf(sightings);
  const clocks = new Map<string, Clock>([[reference, { offsetUs: 0, errorUs: 0 }]]);
  // A map grows while it is walked: from agent to agent, nearest first.
  for (const [agent, { offsetUs, errorUs }] of clocks) {
    for (const [other, bounds] of between.get(agent) ?? []) {
      if (clocks.has(other)) continue;
      const step = clockOf(bounds);
      clocks.set(other, {
        offsetUs: offsetUs + step.offsetUs,
        errorUs: errorUs + step.errorUs,
      });
    }
  }
  return clocks;
}

/** Whether what is known of the clock rules out that it agrees with the reference. */
export function isApart({ offsetUs, errorUs }: Clock): boolean {
  return Math.abs(offsetUs) > errorUs;
}

function boundsOf(sightings: readonly Sighting[]): Map<string, Map<string, Bounds>> {
  const between = new Map<string, Map<string, Bounds>>();
  const clientsOf = new Map<string, Map<string, Sighting>>();
  for (const server of sightings) {
    if (server.wireId === '0' || !server.isComplete) continue;
    let seen = clientsOf.get(server.wireId);
    if (seen === undefined) {
      seen = new Map();
      clientsOf.set(server.wireId, seen);
    }
    for (const client of seen.values()) {
      if (client.agent === server.agent) continue;
      const mostUs = server.startUs - client.startUs;
      const leastUs = server.endUs - client.endUs;
      narrow(between, client.agent, server.agent, { leastUs, mostUs });
      narrow(between, server.agent, client.agent, { leastUs: -mostUs, mostUs: -leastUs });
    }
    seen.set(server.agent, server); // The last one of an agent is the nearest to the next's.
  }
  return between;
}

function narrow(
  between: Map<string, Map<string, Bounds>>,
  from: string,
  to: string,
  { leastUs, mostUs }: Bounds,
): void {
  let others = between.get(from);
  if (others === undefined) {
    others = new Map();
    between.set(from, others);
  }
  const known = others.get(to);
  if (known === undefined) others.set(to, { leastUs, mostUs });
  else {
    known.leastUs = Math.max(known.leastUs, leastUs);
    known.mostUs = Math.min(known.mostUs, mostUs);
  }
}

/**
 * The middle of the bounds. Times of processes are taken when system calls return, so that bounds of
 * near hosts may cross by as much: what they cross by is the error then.
 */
function clockOf({ leastUs, mostUs }: Bounds): Clock {
  const errorUs = Math.max(ERROR_US_MIN, Math.abs(mostUs - leastUs) / 2);
  return { offsetUs: (leastUs + mostUs) / 2, errorUs };
}
