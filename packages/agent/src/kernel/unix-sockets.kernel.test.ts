import { expect, test } from 'vitest';
import { formatPath } from '../flow/address.ts';
import {
  DIRECTION_IN,
  DIRECTION_OUT,
  IP_VERSION_UNIX,
  ROLE_CLIENT,
  ROLE_SERVER,
  TRANSFER_DATA,
} from '../flow/transfer.ts';
import { collect, openTestCapture, type Seen, startCaller } from './capture-testing.ts';

/** A client and a server on a path, a pair without one; prints the path. */
const TALK = `
path = tempfile.mkdtemp() + '/links.sock'
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(path)
served, _ = server.accept()
client.sendall(b'one')
client.sendall(b'two')
served.recv(4)
served.recv(4)
served.sendall(b'answer')
client.recv(100)
x, y = socket.socketpair()
x.sendall(b'unnamed')
y.recv(100)
ask(path)
`;

async function talk(
  rung: 'A' | 'B',
): Promise<{ path: string; seen: readonly Seen[]; pathOf(one: Seen): string }> {
  const capture = openTestCapture({ rung });
  const caller = startCaller(TALK);
  const path = await caller.line();
  const seen = collect(capture).filter(({ pid }) => pid === caller.process.pid);
  const paths = new Map(
    seen.map((one) => [one, formatPath(one.bytes.slice(one.localAddressAt), 0)]),
  );
  caller.go();
  await caller.ended();
  capture.close();
  return {
    path,
    seen: seen.filter(
      ({ ipVersion, kind }) => ipVersion === IP_VERSION_UNIX && kind === TRANSFER_DATA,
    ),
    pathOf: (one) => paths.get(one) ?? '',
  };
}

test('both ends of a unix-domain stream are seen, with role, path and one count of bytes', async () => {
  const { path, seen, pathOf } = await talk('A');
  const said = seen.map(({ role, direction, text }) => [role, direction, text]);
  expect(said).toEqual([
    [ROLE_CLIENT, DIRECTION_OUT, 'one'],
    [ROLE_CLIENT, DIRECTION_OUT, 'two'],
    [ROLE_SERVER, DIRECTION_IN, 'onet'],
    [ROLE_SERVER, DIRECTION_IN, 'wo'],
    [ROLE_SERVER, DIRECTION_OUT, 'answer'],
    [ROLE_CLIENT, DIRECTION_IN, 'answer'],
  ]);
  const begins = seen.slice(0, 4).map(({ answerSequence }) => answerSequence);
  expect(new Set(begins)).toEqual(new Set([seen[4]?.sequence]));
  const [one = 0, two, onet, wo, answered, read] = seen.map(({ sequence }) => sequence);
  const after = (count: number): number => (one + count) >>> 0;
  expect({ two, onet, wo, read }).toEqual({
    two: after(3),
    onet: one,
    wo: after(4),
    read: answered,
  });
  expect(new Set(seen.map(pathOf))).toEqual(new Set([path.slice(-31)]));
});

test('rung B does not see them', async () => {
  expect((await talk('B')).seen).toEqual([]);
});
