export type Severity = 'error' | 'warn';

/** Says something to the person who runs the gateway: one line, never with secrets. */
export type Warn = (message: string, severity?: Severity) => void;

export interface OwnMessage {
  readonly severity: Severity;
  readonly text: string;
  /** Unix ms. */
  readonly timeMs: number;
}

/** What the gateway says of itself, of all its processes in the first one. */
export interface OwnLog {
  readonly warn: Warn;
  /** Calls `listener` with each message from now on, until what is answered is called. */
  subscribe(listener: (message: OwnMessage) => void): () => void;
}

export function createOwnLog(write: Warn, now: () => number): OwnLog {
  const listeners = new Set<(message: OwnMessage) => void>();
  return {
    warn(text, severity = 'warn') {
      write(text, severity);
      const message = { severity, text, timeMs: now() };
      for (const listener of listeners) listener(message);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
