import { COMMON_KINDS } from './common-kinds.ts';
import { createSoloHub, type Hub, heldState, said, type Topic } from './hub.ts';
import type { ToFirst, ToWorker } from './messages.ts';

/** The hub of the first process: holds what is common, and passes questions on. */
export interface FirstHub extends Hub {
  /** A process that serves from now on, and what it is spoken to by. */
  join(process: number, send: (message: ToWorker) => void): void;
  /** It has ended: what it held is given back, what it counted stays. */
  leave(process: number): void;
  take(process: number, message: ToFirst): void;
}

/** A process that is busy for longer is left out of an answer. */
const ANSWER_MS = 2_000;

/** State that knows who holds a part of it. */
interface Releasing {
  release(process: number): void;
}

interface Member {
  send(message: ToWorker): void;
  readonly states: Map<number, () => object>;
  /** What it said last, by topic, of those that are folded. */
  readonly last: Map<string, unknown>;
}

interface Asked {
  readonly open: Set<number>;
  readonly answers: Map<number, unknown>;
  settle(): void;
}

export function createFirstHub(): FirstHub {
  const states = new Map<string, object>();
  const { common } = createSoloHub(states);
  const topics = new Map<string, Topic>();
  const members = new Map<number, Member>();
  const asked = new Map<number, Asked>();
  /** Of the processes that have ended, by topic. */
  const folded = new Map<string, unknown>();
  let lastId = 0;

  function stateOf(name: string, key: string, settings: unknown): object {
    return heldState(states, `${name} ${key}`, () => {
      const kind = COMMON_KINDS.find((one) => one.name === name);
      if (kind === undefined) throw new Error(`no common state of kind ${name}`);
      return kind.make(settings as never); // Of this kind, since the process names both at once.
    });
  }

  function askAll(name: string, question: unknown): Promise<readonly unknown[]> {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve) => {
      const answers = new Map<number, unknown>([[0, topics.get(name)?.answer(question)]]);
      const one: Asked = {
        open: new Set(members.keys()),
        answers,
        settle() {
          clearTimeout(timer);
          asked.delete(id);
          if (question === undefined) remember(name, answers);
          resolve(said([...answers.values(), folded.get(name)]));
        },
      };
      const timer = setTimeout(one.settle, ANSWER_MS);
      asked.set(id, one);
      if (one.open.size === 0) one.settle();
      for (const { send } of members.values())
        send({ kind: 'question', id, topic: name, question });
    });
  }

  function remember(name: string, answers: ReadonlyMap<number, unknown>): void {
    if (topics.get(name)?.fold === undefined) return;
    for (const [process, answer] of answers) members.get(process)?.last.set(name, answer);
  }

  function answered(id: number, process: number, answer: unknown): void {
    const one = asked.get(id);
    if (one?.open.delete(process) !== true) return;
    one.answers.set(process, answer);
    if (one.open.size === 0) one.settle();
  }

  function tellOthers(sender: number, topic: string, question: unknown): void {
    if (sender !== 0) topics.get(topic)?.answer(question);
    for (const [process, { send }] of members) {
      if (process !== sender) send({ kind: 'question', topic, question });
    }
  }

  return {
    process: 0,
    topic: (name, topic) => void topics.set(name, topic),
    ask: askAll,
    tell: (topic, question) => tellOthers(0, topic, question),
    common,
    join: (process, send) =>
      void members.set(process, { send, states: new Map(), last: new Map() }),
    leave(process) {
      const member = members.get(process);
      members.delete(process);
      for (const [name, last] of member?.last ?? []) {
        folded.set(name, topics.get(name)?.fold?.(folded.get(name), last));
      }
      for (const state of states.values()) {
        if ('release' in state) (state as Releasing).release(process);
      }
      for (const id of asked.keys()) answered(id, process, undefined);
    },
    take(process, message) {
      const member = members.get(process);
      if (member === undefined) return;
      switch (message.kind) {
        case 'state': {
          const { name, key, settings } = message;
          member.states.set(message.state, () => stateOf(name, key, settings));
          return;
        }
        case 'forget':
          member.states.delete(message.state);
          return;
        case 'calls': {
          const list = message.list.map(([id, state, method, given]) => {
            const held = member.states.get(state)?.();
            // Checked edge: its own code called a method that states of this kind have.
            const run = held?.[method as keyof object] as unknown as (...all: unknown[]) => unknown;
            return [id, run.apply(held, [...given])] as const;
          });
          member.send({ kind: 'answers', list });
          return;
        }
        case 'ask': {
          const { id, topic, question } = message;
          if (id === undefined) tellOthers(process, topic, question);
          else {
            void askAll(topic, question).then((answers) =>
              member.send({ kind: 'gathered', id, answers }),
            );
          }
          return;
        }
        case 'reply':
          answered(message.id, process, message.answer);
          return;
        case 'last':
          for (const [name, answer] of message.answers) member.last.set(name, answer);
          return;
        default:
      }
    },
  };
}
