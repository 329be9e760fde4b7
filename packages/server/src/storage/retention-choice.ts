import {
  nearest,
  RETENTION_RULES,
  type RetentionChange,
  type RetentionRule,
  TABLES,
  tableLabel,
  tableNamed,
} from '@thalweg/model';

/** A number for each table, by `database.table`. */
export type Choices = Readonly<Record<string, number>>;

/** What an operator asked for: null takes the choice back. */
export type ChoiceEdits = Readonly<Record<string, number | null>>;

export type CheckedChoices =
  | { readonly kind: 'valid'; readonly edits: ChoiceEdits }
  | { readonly kind: 'invalid'; readonly mistakes: readonly string[] };

export interface RetentionChoices {
  readonly hours: Choices;
  readonly bytes: Choices;
}

export type CheckedChange =
  | { readonly kind: 'valid'; readonly hours: ChoiceEdits; readonly bytes: ChoiceEdits }
  | { readonly kind: 'invalid'; readonly mistakes: readonly string[] };

/** Far more than there are tables. */
const MISTAKES_MAX = 32;
const SHOWN_LENGTH_MAX = 60;

/** Checks both halves of a change; every mistake is named, with its table. */
export function checkChange({ hours, bytes }: RetentionChange): CheckedChange {
  const checked = [
    checkChoices(hours, RETENTION_RULES.hours),
    checkChoices(bytes, RETENTION_RULES.bytes),
  ] as const;
  const [ofHours, ofBytes] = checked;
  if (ofHours.kind === 'valid' && ofBytes.kind === 'valid') {
    return { kind: 'valid', hours: ofHours.edits, bytes: ofBytes.edits };
  }
  const mistakes = checked.flatMap((one, at) => {
    const unit = at === 0 ? 'hours' : 'bytes';
    return one.kind === 'valid' ? [] : one.mistakes.map((mistake) => `${unit}: ${mistake}`);
  });
  return { kind: 'invalid', mistakes };
}

/** Checks a map of tables (`table` or `database.table`) to whole numbers or null. */
export function checkChoices(
  given: Readonly<Record<string, unknown>>,
  rule: RetentionRule,
): CheckedChoices {
  const edits: Record<string, number | null> = {};
  const mistakes: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (mistakes.length >= MISTAKES_MAX) break;
    const table = tableNamed(name);
    if (table === undefined) {
      mistakes.push(unknownTable(name));
      continue;
    }
    const label = tableLabel(table);
    const { retentionFollows = [] } = table;
    const number = wholeNumber(value);
    if (Object.hasOwn(edits, label)) mistakes.push(`${name}: given twice`);
    else if (retentionFollows.length > 0) {
      mistakes.push(`${name}: follows ${retentionFollows.join(', ')}, choose for those`);
    } else if (value === null) edits[label] = null;
    else if (number === undefined || number < rule.min || number > rule.max) {
      mistakes.push(`${name}: ${shown(value)} is not a whole number ${rangeOf(rule)}`);
    } else edits[label] = number;
  }
  return mistakes.length > 0 ? { kind: 'invalid', mistakes } : { kind: 'valid', edits };
}

/**
 * The choices of a setting: a map, or `table=number,…` as the environment has it. Answers the
 * mistakes when there are any.
 */
export function readChoices(
  given: Readonly<Record<string, unknown>> | string,
  rule: RetentionRule,
): Choices | readonly string[] {
  const map: Record<string, unknown> = {};
  if (typeof given === 'string') {
    const parts = given.split(',').map((part) => part.trim());
    for (const part of parts.filter((one) => one !== '')) {
      const [, name = '', value = ''] = /^([\w.]+)\s*=\s*(.+)$/.exec(part) ?? [];
      if (name === '') return [`"${part.slice(0, SHOWN_LENGTH_MAX)}" is not TABLE=NUMBER`];
      if (Object.hasOwn(map, name)) return [`${name}: given twice`];
      map[name] = value;
    }
  } else Object.assign(map, given);
  const empty = Object.keys(map).filter((name) => map[name] === null);
  const checked = checkChoices(map, rule);
  const mistakes = [
    ...(checked.kind === 'valid' ? [] : checked.mistakes),
    ...empty.map((name) => `${name}: has no value`),
  ];
  if (checked.kind === 'invalid' || mistakes.length > 0) return mistakes;
  return editedChoices({}, checked.edits);
}

/** The choices with the edits made. */
export function editedChoices(choices: Choices, edits: ChoiceEdits): Choices {
  const edited: Record<string, number> = {};
  for (const [table, value] of Object.entries({ ...choices, ...edits })) {
    if (value !== null) edited[table] = value;
  }
  return edited;
}

function unknownTable(name: string): string {
  const short = name.slice(0, SHOWN_LENGTH_MAX);
  const near = nearest(
    short,
    TABLES.flatMap((table) => [table.name, tableLabel(table)]),
  );
  return `unknown table "${short}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

/** Also from digits: the environment has nothing else. */
function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}

function rangeOf({ unit, min, max }: RetentionRule): string {
  const most = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max.toLocaleString('en-US')}`;
  return `of ${unit} from ${min.toLocaleString('en-US')}${most}`;
}
