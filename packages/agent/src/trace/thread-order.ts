/**
 * What a thread sends follows the order of what it read, where it queues its work: it reads several
 * messages in a row and then works through them. HAProxy and Python's asyncio work so; the last message
 * read says nothing there. A thread alternates between reading and sending: a round. A round tells its
 * order once it is over. It is whole if as much was sent as was read; else, where something waits for a
 * later round or was lost, each place may be wrong by one. Of answers, one alone is sent next after what
 * was read last: where a thread read several and answers several, as threads that carry on any work
 * of their process do, none of them follows from the last one.
 */
export interface ThreadOrders<Request, Call> {
  readRequest(tid: number, request: Request): void;
  /** `undefined`: the answer of a call that was not seen, or any number of them. */
  readAnswer(tid: number, call: Call | undefined): void;
  sendCall(tid: number, call: Call): void;
  /**
   * `undefined`: the answer to a request that was not seen. `last` is the call whose answer the thread
   * had read last in the same turn of its loop.
   */
  sendAnswer(tid: number, request: Request | undefined, last?: Call): void;
  /** A request will not be seen to be answered. */
  abandonRequest(tid: number): void;
  /** Calls left that were not seen, nobody knows how many. */
  hideCalls(tid: number): void;
  /** Whether the thread read several requests in a row: the last one need not be what it works on. */
  hasReadSeveral(tid: number): boolean;
  /** The thread has rested: its round is over. */
  rest(tid: number): void;
}

export interface OrderOptions<Request, Call> {
  /** The call left in its place after the request was read; in a whole round, or across rounds. */
  readonly onCall: (call: Call, request: Request, round: Round) => void;
  /** The request was answered in its place after the call's answer was read. */
  readonly onAnswer: (call: Call, request: Request, round: Round) => void;
  /** The request was answered next after the call's answer was read. */
  readonly onNext: (call: Call, request: Request) => void;
  /** Whether it still waits for the thread. */
  readonly isRequestOpen: (request: Request) => boolean;
  readonly isCallOpen: (call: Call) => boolean;
}

interface Line<Read, Sent> {
  /** Read in this round, and not paired yet. */
  round: Read[];
  pairs: [read: Read, sent: Sent][];
  /** Left over from earlier rounds. */
  late: Read[];
  /** Something was sent that an earlier round had left over. */
  isAcross: boolean;
  /** Something was sent that nothing read in this round stands for. */
  isBroken: boolean;
  /** From here on places are not known: the round's earlier ones are told as if across rounds. */
  isCut: boolean;
  /**
   * Something was lost: until nothing waits any more places may be wrong by one, and those of the other
   * line alike, so that their agreement says nothing.
   */
  isAdrift: boolean;
}

interface Thread<Request, Call> {
  readonly requests: Line<Request, Call>;
  readonly answers: Line<Call, Request>;
  isSending: boolean;
  /** Requests read since it last sent something. */
  requestsRead: number;
  /** The call after whose answer a request was answered in this round. */
  followed: Call | undefined;
  /** The same with the request, if no other one is answered after it. */
  next: readonly [call: Call, request: Request] | undefined;
}

/** Of the round in which a message left in its place. */
export interface Round {
  readonly isWhole: boolean;
  /** Messages that left in theirs: they are right or wrong together. */
  readonly size: number;
}

/** Threads that are remembered; past it all are forgotten, and order is learnt anew. */
const THREADS_MAX = 16_384;
/** Messages of a thread that are remembered; a round with more tells nothing. */
const LINE_MAX = 1_024;

export function createThreadOrders<Request, Call>(
  options: OrderOptions<Request, Call>,
): ThreadOrders<Request, Call> {
  const { onCall, onAnswer, onNext, isRequestOpen, isCallOpen } = options;
  const threads = new Map<number, Thread<Request, Call>>();
  const onRequestAndCall = (request: Request, call: Call, round: Round): void =>
    onCall(call, request, round);

  function reading(tid: number): Thread<Request, Call> {
    let thread = threads.get(tid);
    if (thread === undefined) {
      if (threads.size >= THREADS_MAX) threads.clear();
      thread = createThread();
      threads.set(tid, thread);
    }
    if (thread.isSending) finishRound(thread);
    return thread;
  }

  function finishRound(thread: Thread<Request, Call>): void {
    const { next } = thread;
    thread.isSending = false;
    thread.requestsRead = 0;
    thread.followed = undefined;
    thread.next = undefined;
    if (next !== undefined) onNext(...next);
    endRound(thread.requests, isRequestOpen, onRequestAndCall);
    endRound(thread.answers, isCallOpen, onAnswer);
  }

  function sending(tid: number): Thread<Request, Call> | undefined {
    const thread = threads.get(tid);
    if (thread !== undefined) thread.isSending = true;
    return thread;
  }

  return {
    readRequest(tid, request) {
      const thread = reading(tid);
      thread.requestsRead += 1;
      read(thread.requests, request);
    },
    readAnswer(tid, call) {
      const { answers } = reading(tid);
      if (call !== undefined) read(answers, call);
      else answers.isCut = true;
    },
    sendCall(tid, call) {
      const thread = sending(tid);
      if (thread !== undefined) send(thread.requests, call, isRequestOpen);
    },
    sendAnswer(tid, request, last) {
      const thread = sending(tid);
      if (thread === undefined) return;
      if (last !== undefined) {
        const isNext = thread.followed !== last && request !== undefined;
        thread.next = isNext ? [last, request] : undefined;
        thread.followed = last;
      }
      if (request !== undefined) send(thread.answers, request, isCallOpen);
      else {
        passOver(thread.answers, isCallOpen);
        setAdrift(thread);
      }
    },
    abandonRequest(tid) {
      const thread = threads.get(tid);
      if (thread !== undefined) setAdrift(thread);
    },
    hideCalls(tid) {
      const requests = sending(tid)?.requests;
      if (requests === undefined) return;
      requests.isCut = true;
      requests.round = [];
      requests.late = [];
    },
    hasReadSeveral: (tid) => (threads.get(tid)?.requestsRead ?? 0) > 1,
    rest(tid) {
      const thread = threads.get(tid);
      if (thread?.isSending === true) finishRound(thread);
    },
  };
}

function createThread<Request, Call>(): Thread<Request, Call> {
  return {
    requests: createLine(),
    answers: createLine(),
    isSending: false,
    requestsRead: 0,
    followed: undefined,
    next: undefined,
  };
}

function setAdrift({ requests, answers }: Thread<unknown, unknown>): void {
  requests.isAdrift = true;
  answers.isAdrift = true;
}

function createLine<Read, Sent>(): Line<Read, Sent> {
  return {
    round: [],
    pairs: [],
    late: [],
    isAcross: false,
    isBroken: false,
    isCut: false,
    isAdrift: false,
  };
}

function read<Read>(line: Line<Read, unknown>, one: Read): void {
  if (line.isCut) return;
  if (line.round.length < LINE_MAX) line.round.push(one);
  else line.isBroken = true;
}

function send<Read, Sent>(
  line: Line<Read, Sent>,
  sent: Sent,
  isOpen: (one: Read) => boolean,
): void {
  const next = takeNext(line, isOpen);
  if (next !== undefined) line.pairs.push([next, sent]);
  else if (!line.isCut) line.isBroken = true;
}

/** Something left that was not seen: it had the next place, if nothing else is missing. */
function passOver<Read>(line: Line<Read, unknown>, isOpen: (one: Read) => boolean): void {
  takeNext(line, isOpen);
  line.isBroken = true;
}

/** Whose turn it is to leave. */
function takeNext<Read>(
  line: Line<Read, unknown>,
  isOpen: (one: Read) => boolean,
): Read | undefined {
  if (line.late.length > 0) line.late = line.late.filter(isOpen);
  const waited = line.late.shift();
  if (waited !== undefined) {
    line.isAcross = true;
    return waited;
  }
  let next = line.round.shift();
  while (next !== undefined && !isOpen(next)) next = line.round.shift();
  return next;
}

function endRound<Read, Sent>(
  line: Line<Read, Sent>,
  isOpen: (one: Read) => boolean,
  onPair: (read: Read, sent: Sent, round: Round) => void,
): void {
  const { pairs, isAcross, isBroken, isCut, isAdrift } = line;
  if (line.late.length + line.round.length > 0) {
    line.late = [...line.late, ...line.round].filter(isOpen).slice(-LINE_MAX);
    line.round = [];
  }
  if (pairs.length > 0) line.pairs = [];
  line.isBroken = false;
  line.isAcross = false;
  line.isCut = false;
  if (line.late.length === 0) line.isAdrift = false;
  const isWhole = !isAcross && !isCut && line.late.length === 0;
  if (isBroken || (isAdrift && !isWhole)) return;
  const round = { isWhole, size: pairs.length };
  for (const [one, sent] of pairs) onPair(one, sent, round);
}
