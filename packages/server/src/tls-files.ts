import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsPair } from '@thalweg/integration';
import { StartError } from './errors.ts';

/** A certificate and its key in files that somebody renews. */
export interface TlsFiles {
  readonly pair: TlsPair;
  /**
   * Looks at the files every few seconds: `take` gets each new pair that fits together, `report` why
   * one does not (the pair before stays in use). Until `close`.
   */
  watch(take: (pair: TlsPair) => void, report: (error: Error) => void): void;
  close(): void;
}

/** By time and not by events: a renewal may replace a link, a folder, or one file after the other. */
const LOOK_MS = 2_000;

/** Undefined when neither file is named. Throws `StartError`: one is missing, unreadable, or no pair. */
export function openTlsFiles(
  certFile: string | undefined,
  keyFile: string | undefined,
): TlsFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  const fix = 'name both files in PEM, readable by this user, or none';
  if (certFile === undefined || keyFile === undefined) {
    const message = 'otlp_tls_cert_file and otlp_tls_key_file go together';
    throw new StartError('start_failed', message, fix);
  }
  const read = (): TlsPair => {
    const pair = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    createSecureContext(pair); // Throws when they do not belong together.
    return pair;
  };
  let pair: TlsPair;
  try {
    pair = read();
  } catch (cause) {
    throw new StartError('start_failed', `TLS of OTLP: ${messageOf(cause)}`, fix, { cause });
  }
  let timer: NodeJS.Timeout | undefined;
  let failure = '';
  return {
    pair,
    watch: (take, report) => {
      timer = setInterval(() => {
        try {
          const next = read();
          failure = '';
          if (next.cert === pair.cert && next.key === pair.key) return;
          pair = next;
          take(next);
        } catch (cause) {
          // Said once: one file is often there before the other.
          const message = messageOf(cause);
          if (message !== failure) report(new Error(`TLS of OTLP: ${message}`, { cause }));
          failure = message;
        }
      }, LOOK_MS);
      timer.unref();
    },
    close: () => clearInterval(timer),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
