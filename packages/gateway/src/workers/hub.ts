/**
 * State that is one for all processes of a gateway. What its calls take and give, JSON can say;
 * `undefined` is an answer, `null` is none.
 */
export interface CommonKind<State extends object, Settings> {
  readonly name: string;
  make(settings: Settings): State;
}

/** State as it is asked: where several processes serve, the first one holds it and answers later. */
export type Common<State> = {
  readonly [Name in keyof State]: State[Name] extends (...given: infer Given) => infer Answer
    ? (...given: Given) => Answer | Promise<Answer>
    : never;
};

/** What one process says to a question of another. */
export interface Topic {
  answer(question: unknown): unknown;
  /**
   * For counts: what is left of the processes that have ended, `last` being what one of them said
   * last. It is then one more answer.
   */
  fold?(before: unknown, last: unknown): unknown;
}

/** The processes of one gateway among themselves; questions and answers are what JSON can say. */
export interface Hub {
  /** Told apart from all other processes of this gateway, those that have ended among them. */
  readonly process: number;
  topic(name: string, topic: Topic): void;
  /**
   * What every process says, the first one first. One that has nothing to say, or does not say it in
   * time, is left out.
   */
  ask(name: string, question?: unknown): readonly unknown[] | Promise<readonly unknown[]>;
  /** As `ask`, of the others only, and nobody waits for what they say. */
  tell(name: string, question: unknown): void;
  /** The same `key` of a kind is the same state in every process. */
  common<State extends object, Settings>(
    kind: CommonKind<State, Settings>,
    key: string,
    settings: Settings,
  ): Common<State>;
}

/** Without those that have nothing to say. */
export function said(answers: Iterable<unknown>): readonly unknown[] {
  return [...answers].filter((answer) => answer !== undefined);
}

/** States held of one kind; past it the oldest is forgotten. */
const STATES_MAX = 10_000;

/** Finds state by its key and makes it when there is none, forgetting the oldest. */
export function heldState<State>(
  states: Map<string, State>,
  key: string,
  make: () => State,
): State {
  const known = states.get(key);
  if (known !== undefined) return known;
  const oldest = states.size >= STATES_MAX ? states.keys().next() : undefined;
  if (oldest?.done === false) states.delete(oldest.value);
  const made = make();
  states.set(key, made);
  return made;
}

/** Of a gateway that is one process: asks itself, and answers at once. */
export function createSoloHub(states = new Map<string, object>()): Hub {
  const topics = new Map<string, Topic>();
  return {
    process: 0,
    topic: (name, topic) => void topics.set(name, topic),
    ask: (name, question) => said([topics.get(name)?.answer(question)]),
    tell: () => undefined,
    common<State extends object, Settings>(
      kind: CommonKind<State, Settings>,
      key: string,
      settings: Settings,
    ) {
      const state = heldState(states, `${kind.name} ${key}`, () => kind.make(settings));
      // Checked edge: the key begins with the kind. Who answers at once answers as `Common` may.
      return state as Common<State>;
    },
  };
}
