export type LogLevel = 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE';
/** `access` is a gateway's access-log entry. */
export type LogType = 'user' | 'system' | 'audit' | 'agent' | 'access';
export type LogAttribute = readonly [name: string, value: string];

/** A log entry, whatever its sender. */
export interface LogRecord {
  /** Microseconds since the epoch; undefined when the entry has no time of its own. */
  readonly timeUs: number | undefined;
  readonly type: LogType;
  /** Undefined when it was not told. */
  readonly level: LogLevel | undefined;
  readonly body: string;
  readonly service: string;
  readonly instance: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly requestId: string;
  readonly attributes: readonly LogAttribute[];
  readonly metrics: readonly (readonly [name: string, value: number])[];
}

export const LOG_LIMITS = {
  recordsMax: 200_000,
  /** Of one record; more are left out and counted by the writer. */
  attributesMax: 512,
  metricsMax: 128,
} as const;

const LEVELS: readonly (readonly [name: RegExp, level: LogLevel])[] = [
  [/^(fatal[2-4]?|crit|critical|alert|emerg|emergency|panic)$/i, 'FATAL'],
  [/^(error[2-4]?|erro|err|severe)$/i, 'ERROR'],
  [/^(warn[2-4]?|warning)$/i, 'WARN'],
  [/^(info[2-4]?|information|informational|notice)$/i, 'INFO'],
  [/^(debug[2-4]?|debu|dbg)$/i, 'DEBUG'],
  [/^(trace[2-4]?|verbose)$/i, 'TRACE'],
];

/** The level that a word of a logging library or of syslog stands for. */
export function readLevel(word: string): LogLevel | undefined {
  const trimmed = word.length > 16 ? '' : word.trim();
  return LEVELS.find(([name]) => name.test(trimmed))?.[1];
}
