import { expect, test } from 'vitest';
import type { NetworkInterface } from '../kernel/addon.ts';
import { createInterfaceWatch } from './interface-watch.ts';

const LO = { index: 1, name: 'lo', isLoopback: true, isUp: true, addresses: ['127.0.0.1', '::1'] };
const card = (index: number, name: string, ...addresses: string[]): NetworkInterface => ({
  index,
  name,
  isLoopback: false,
  isUp: true,
  addresses,
});

/** A machine whose namespaces are the keys of `there`, and what is attached to it by now. */
function createMachine(there: Record<string, NetworkInterface[]>) {
  const attached = new Set<string>();
  return {
    there,
    attached,
    namespaces: () => Object.keys(there).map((path, at) => ({ netns: at + 1, path })),
    source: {
      interfaces(path: string) {
        const list = there[path];
        if (list === undefined) throw new Error('gone');
        return list;
      },
      attach(path: string, ifindex: number) {
        if (ifindex === 13) throw new Error('refused');
        const key = `${path}/${ifindex}`;
        attached.add(key);
        return () => void attached.delete(key);
      },
    },
  };
}

test('interfaces that come are looked at, and those that go are let go', () => {
  const machine = createMachine({ a: [LO, card(2, 'eth0', '10.0.0.1')] });
  const watch = createInterfaceWatch({ ...machine, names: ['*'] });
  watch.follow();
  expect([...machine.attached]).toEqual(['a/2']);
  machine.there['b'] = [LO, card(2, 'eth0', '10.0.0.2')];
  machine.there['a'] = [LO, card(3, 'eth1', '10.0.0.1')];
  watch.follow();
  watch.follow();
  expect([...machine.attached].sort()).toEqual(['a/3', 'b/2']);
  expect(watch.nameOf(1, 3)).toBe('eth1');
  expect(watch.nameOf(1, 2)).toBe('');
  watch.close();
  expect([...machine.attached]).toEqual([]);
});

test.each([
  { name: 'a pattern', names: ['veth*'], want: ['a/4', 'a/5'] },
  { name: 'a dot is a dot', names: ['eth0.7'], want: ['a/3'] },
  { name: 'loopback only by its name', names: ['lo', 'eth0'], want: ['a/1', 'a/2'] },
])('chosen by name: $name', ({ names, want }) => {
  const cards = [
    card(2, 'eth0'),
    card(3, 'eth0.7'),
    card(4, 'veth12'),
    card(5, 'veth-x'),
    card(6, 'eth0x7'),
  ];
  const machine = createMachine({ a: [LO, ...cards] });
  createInterfaceWatch({ ...machine, names }).follow();
  expect([...machine.attached]).toEqual(want);
});

test('a refusal is counted and said, and the others are looked at', () => {
  const machine = createMachine({ a: [card(13, 'bad0'), card(2, 'eth0')] });
  const watch = createInterfaceWatch({ ...machine, names: ['*'] });
  watch.follow();
  expect([...machine.attached]).toEqual(['a/2']);
  expect(watch.gauges()).toEqual({ interfaces: 1, namespaces: 1, interfaces_refused: 1 });
  expect(watch.reason()).toBe('bad0: refused');
});

test('an address is inside its own namespace, and near in any other', () => {
  const machine = createMachine({
    a: [LO, card(2, 'eth0', '10.0.0.1')],
    b: [LO, card(2, 'eth0', '10.0.0.2')],
  });
  const watch = createInterfaceWatch({ ...machine, names: ['*'] });
  watch.follow();
  expect(watch.positionOf(1, '10.0.0.1', '10.0.0.2')).toEqual({
    isClientInside: true,
    isServerInside: false,
    isClientNear: true,
    isServerNear: true,
  });
  expect(watch.positionOf(1, '127.0.0.1', '10.0.0.9')).toMatchObject({
    isClientInside: true,
    isClientNear: false,
    isServerNear: false,
  });
});
