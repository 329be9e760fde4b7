import { type Common, type CommonKind, type Hub, heldState, type Topic } from './hub.ts';
import type { Call, ToFirst, ToWorker } from './messages.ts';

/** The hub of a process that serves: everything goes by way of the first one. */
export interface WorkerHub extends Hub {
  take(message: ToWorker): void;
  /** What stays of this process's counts when it ends, by topic. */
  last(): readonly (readonly [topic: string, answer: unknown])[];
}

/** What stands here for a state that the first process holds. */
interface Handle {
  readonly state: number;
}

export function createWorkerHub(process: number, send: (message: ToFirst) => void): WorkerHub {
  const topics = new Map<string, Topic>();
  const waiting = new Map<number, (answer: unknown) => void>();
  const states = new Map<string, object>();
  const unused = new FinalizationRegistry<number>((state) => send({ kind: 'forget', state }));
  let calls: Call[] = [];
  let lastId = 0;
  let lastState = 0;

  function wait<Answer>(): { readonly id: number; readonly answer: Promise<Answer> } {
    lastId += 1;
    const id = lastId;
    // Checked edge: the first process answers a call as the state that it holds does.
    const answer = new Promise<Answer>((resolve) =>
      waiting.set(id, (given) => resolve(given as Answer)),
    );
    return { id, answer };
  }

  function settle(id: number, answer: unknown): void {
    waiting.get(id)?.(answer ?? undefined);
    waiting.delete(id);
  }

  /** Calls of one turn go out together. */
  function call(state: number, method: string, given: readonly unknown[]): Promise<unknown> {
    const { id, answer } = wait();
    if (calls.length === 0) {
      queueMicrotask(() => {
        send({ kind: 'calls', list: calls });
        calls = [];
      });
    }
    calls.push([id, state, method, given]);
    return answer;
  }

  /** Its methods refer to `handle`: whoever keeps one of them keeps the state. */
  function remote(handle: Handle): object {
    const methods = new Map<string, (...given: unknown[]) => Promise<unknown>>();
    return new Proxy(
      {},
      {
        get(_, name) {
          if (typeof name !== 'string') return undefined;
          const known = methods.get(name) ?? ((...given) => call(handle.state, name, given));
          methods.set(name, known);
          return known;
        },
      },
    );
  }

  return {
    process,
    topic: (name, topic) => void topics.set(name, topic),
    ask(topic, question) {
      const { id, answer } = wait<readonly unknown[]>();
      send({ kind: 'ask', id, topic, question });
      return answer;
    },
    tell: (topic, question) => send({ kind: 'ask', topic, question }),
    common<State extends object, Settings>(
      kind: CommonKind<State, Settings>,
      key: string,
      settings: Settings,
    ) {
      const state = heldState(states, `${kind.name} ${key}`, () => {
        lastState += 1;
        send({ kind: 'state', state: lastState, name: kind.name, key, settings });
        const handle = { state: lastState };
        unused.register(handle, lastState);
        return remote(handle);
      });
      return state as Common<State>; // Every call of it goes to a state of this kind.
    },
    take(message) {
      switch (message.kind) {
        case 'answers':
          for (const [id, answer] of message.list) settle(id, answer);
          return;
        case 'gathered':
          settle(message.id, message.answers);
          return;
        case 'question': {
          const answer = topics.get(message.topic)?.answer(message.question);
          if (message.id !== undefined) send({ kind: 'reply', id: message.id, answer });
          return;
        }
        default:
      }
    },
    last() {
      const counted = [...topics].filter(([, { fold }]) => fold !== undefined);
      return counted.map(([name, { answer }]) => [name, answer(undefined)] as const);
    },
  };
}
