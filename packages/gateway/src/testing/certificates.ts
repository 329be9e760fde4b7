import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key as PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends KeyPair {
  /** A certificate of this authority; `names`, also addresses, go into subjectAltName. */
  issue(...names: readonly string[]): KeyPair;
}

/** A CA made by Debian's openssl. Throws when that is missing. */
export function makeAuthority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'gwproto-ca-'));
  const own = inFolder(folder, (path, run) => {
    run('req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -batch', [
      ...['-subj', `/CN=${name}`, '-keyout', path('key'), '-out', path('cert')],
    ]);
    return { cert: readFileSync(path('cert'), 'utf8'), key: readFileSync(path('key'), 'utf8') };
  });
  return {
    ...own,
    issue: (...names) =>
      inFolder(mkdtempSync(join(tmpdir(), 'gwproto-cert-')), (path, run) => {
        writeFileSync(path('ca'), own.cert);
        writeFileSync(path('ca-key'), own.key);
        writeFileSync(
          path('ext'),
          `subjectAltName=${names.map((one) => `${isIP(one) === 0 ? 'DNS' : 'IP'}:${one}`).join(',')}`,
        );
        run('req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch', [
          ...['-subj', `/CN=${names[0]}`, '-keyout', path('key'), '-out', path('request')],
        ]);
        run('x509 -req -days 2', [
          ...['-in', path('request'), '-CA', path('ca'), '-CAkey', path('ca-key')],
          ...['-set_serial', String(Date.now()), '-extfile', path('ext'), '-out', path('cert')],
        ]);
        return { cert: readFileSync(path('cert'), 'utf8'), key: readFileSync(path('key'), 'utf8') };
      }),
  };
}

function inFolder<Made>(
  folder: string,
  make: (
    path: (name: string) => string,
    run: (command: string, rest: readonly string[]) => void,
  ) => Made,
): Made {
  try {
    return make(
      (name) => join(folder, name),
      (command, rest) => {
        execFileSync('openssl', [...command.split(' '), ...rest], { stdio: 'pipe' });
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
