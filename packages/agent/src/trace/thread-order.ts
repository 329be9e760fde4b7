/**
 * What a thread read and has not acted upon, in order. A program that queues its work reads several
 * messages in a row and then works through them, the first one first. HAProxy and Python's asyncio
 * work so; the last message read says nothing there. Order speaks only where a thread has finished what
 * it read in earlier rounds: while some of that waits, what it sends may belong to that.
 */
export interface ThreadOrders<Request, Call> {
  readRequest(tid: number, request: Request): void;
  readAnswer(tid: number, call: Call): void;
  /** The request whose turn it is when the thread sends a call. */
  takeRequest(tid: number): Request | undefined;
  /** The call whose answer's turn it is when the thread answers a request. */
  takeAnswered(tid: number): Call | undefined;
}

/** Which of them still wait for the thread. */
interface Waiting<Request, Call> {
  request(request: Request): boolean;
  answered(call: Call): boolean;
}

/** A round: reads, then sends. */
interface Line<One> {
  /** Read in this round. */
  round: One[];
  /** Left over from earlier rounds. */
  late: One[];
}

interface Thread<Request, Call> {
  readonly requests: Line<Request>;
  readonly answered: Line<Call>;
  isSending: boolean;
}

/** Threads that are remembered; past it all are forgotten, and order is learnt anew. */
const THREADS_MAX = 16_384;
/** Messages of a thread that are remembered; with more at once order says nothing. */
const LINE_MAX = 1_024;

export function createThreadOrders<Request, Call>(
  isWaiting: Waiting<Request, Call>,
): ThreadOrders<Request, Call> {
  const threads = new Map<number, Thread<Request, Call>>();

  function reading(tid: number): Thread<Request, Call> {
    let thread = threads.get(tid);
    if (thread === undefined) {
      if (threads.size >= THREADS_MAX) threads.clear();
      thread = { requests: createLine(), answered: createLine(), isSending: false };
      threads.set(tid, thread);
    }
    if (thread.isSending) {
      thread.isSending = false;
      endRound(thread.requests, isWaiting.request);
      endRound(thread.answered, isWaiting.answered);
    }
    return thread;
  }

  function sending(tid: number): Thread<Request, Call> | undefined {
    const thread = threads.get(tid);
    if (thread !== undefined) thread.isSending = true;
    return thread;
  }

  return {
    readRequest: (tid, request) => add(reading(tid).requests, request),
    readAnswer: (tid, call) => add(reading(tid).answered, call),
    takeRequest: (tid) => take(sending(tid)?.requests, isWaiting.request),
    takeAnswered: (tid) => take(sending(tid)?.answered, isWaiting.answered),
  };
}

function createLine<One>(): Line<One> {
  return { round: [], late: [] };
}

function endRound<One>(line: Line<One>, isWaiting: (one: One) => boolean): void {
  const { round } = line;
  line.late = [...line.late, ...round].filter(isWaiting).slice(-LINE_MAX);
  line.round = [];
}

function add<One>({ round }: Line<One>, one: One): void {
  if (round.length < LINE_MAX) round.push(one);
}

function take<One>(line: Line<One> | undefined, isWaiting: (one: One) => boolean): One | undefined {
  if (line === undefined) return undefined;
  line.late = line.late.filter(isWaiting);
  if (line.late.length > 0) {
    // Whose turn it was is not known, and so not whose it will be, until as many were sent as waited.
    line.late.push(...line.round);
    line.late.shift();
    line.round = [];
    return undefined;
  }
  let next = line.round.shift();
  while (next !== undefined && !isWaiting(next)) next = line.round.shift();
  return next;
}
