type Headers = readonly (readonly [name: string, value: string])[];

/** Names of a row's header attributes, made once for each sequence of headers that is seen. */
export interface AttributeNames {
  of(asked: Headers, answered: Headers): readonly string[];
}

/** Steps remembered: traffic repeats few sequences, but a client may make up any number. */
const STEPS_MAX = 4_096;

/** A sequence of names, and the steps that lead on from it. */
interface Step {
  readonly names: readonly string[];
  readonly asked: Map<string, Step>;
  readonly answered: Map<string, Step>;
}

/** OpenTelemetry's names: `http.request.header.<lower-case name>`; the allow-list bounds them. */
export function createAttributeNames(): AttributeNames {
  let start = createStep([]);
  let count = 0;

  function begin(from: Step, steps: Map<string, Step>, name: string, prefix: string): Step {
    const made = createStep([...from.names, prefix + name]);
    steps.set(name, made);
    count += 1;
    return made;
  }

  return {
    of(asked, answered) {
      if (count >= STEPS_MAX) {
        start = createStep([]);
        count = 0;
      }
      let at = start;
      for (let i = 0; i < asked.length; i += 1) {
        const name = asked[i]?.[0] ?? '';
        at = at.asked.get(name) ?? begin(at, at.asked, name, 'http.request.header.');
      }
      for (let i = 0; i < answered.length; i += 1) {
        const name = answered[i]?.[0] ?? '';
        at = at.answered.get(name) ?? begin(at, at.answered, name, 'http.response.header.');
      }
      return at.names;
    },
  };
}

function createStep(names: readonly string[]): Step {
  return { names, asked: new Map(), answered: new Map() };
}
