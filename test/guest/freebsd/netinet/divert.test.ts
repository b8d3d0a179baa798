/** Divert sockets against whoever holds a lock over the firewall (reference F-10, G-15). */
import { describe, expect, test } from 'vitest';
import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { findHiddenState } from '../../../../src/explore/hidden-state.ts';
import { DivertSocket } from '../../../../src/guest/freebsd/netinet/divert.ts';
import { findStuck } from '../../../../src/sim/stuck.ts';
import type { BenchOptions } from '../net/ifnet-bench.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';
import { type Build, program } from '../threads.ts';

/** A packet comes in and is diverted; whoever has read another one writes it back. */
const diverted =
  (way: 'out' | 'in', packet = {}): Build =>
  ({ net, stack: { netisr, ip } }) => {
    const socket = new DivertSocket(net, netisr, ip);
    return {
      threads: {
        *driver() {
          yield* ip.input({});
        },
        *natd() {
          yield* socket.send(packet, way);
        },
      },
      judge: () =>
        ip.reentries > 0 ? { key: 'recursion', text: `input re-entered ${ip.reentries} times` } : undefined,
    };
  };

/** A program has multicast options on its divert socket; meanwhile the kernel reports memberships. */
const toGroup: Build = ({ net, sim, stack: { netisr, ip } }) => {
  const socket = new DivertSocket(net, netisr, ip);
  return {
    threads: {
      *program() {
        yield* socket.setMulticastOptions();
        yield* socket.send({}, 'out');
      },
      *igmp() {
        yield* ip.reportMemberships();
      },
    },
    judge: () => {
      const ring = findStuck(sim)?.cycle ?? [];
      return ring.length > 0 ? { key: 'deadlock', text: ring.join(' -> ') } : undefined;
    },
  };
};

/** What IPsec protects comes out by a rule of the firewall; what a divert socket sends is protected. */
const protectedBoth: Build = ({ net, stack: { netisr, ip } }) => {
  const socket = new DivertSocket(net, netisr, ip);
  return {
    threads: {
      *sender() {
        yield* ip.output({ isProtected: true });
      },
      *natd() {
        yield* socket.send({ isProtected: true }, 'out');
      },
    },
  };
};

const OFF = { 'divert-unlocked-output': false, 'divert-no-multicast': false, 'divert-input-queued': false } as const;
const SEARCH = { ...USUAL_OPTIONS, strategy: 'reduced' } as const;
const explore = (build: Build, fixes: BenchOptions['fixes'] = {}): Exploration =>
  searchOrders(program({ profile: 'freebsd-13', fixes }, build), SEARCH);
const keysOf = ({ found }: Exploration): string[] => found.map(({ key }) => key).sort();

const FIREWALL = [
  'reversal: IPFW static rules -> div',
  'reversal: IPFW static rules -> divinp',
  'reversal: PFil hook read/write mutex -> div',
  'reversal: PFil hook read/write mutex -> divinp',
  'reversal: div -> IPFW static rules',
  'reversal: div -> PFil hook read/write mutex',
  'reversal: divinp -> IPFW static rules',
  'reversal: divinp -> PFil hook read/write mutex',
];

describe('as it was: its locks are held over output and input', () => {
  test('the firewall and the filters are taken both ways round', () => {
    expect(keysOf(explore(diverted('out'), OFF))).toEqual(FIREWALL);
  });

  test('so is the lock of an IPsec request', () => {
    const found = keysOf(explore(protectedBoth, OFF));
    expect(found).toEqual(expect.arrayContaining(['reversal: div -> ipsec request', 'reversal: ipsec request -> div']));
  });

  test('so is the list of memberships, and there it can be a deadlock', () => {
    const { found } = explore(toGroup, OFF);
    expect(found.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['deadlock', 'reversal: div -> in_multi_mtx', 'reversal: in_multi_mtx -> div']),
    );
  });

  test('input is entered by a thread that is in output', () => {
    expect(keysOf(explore(diverted('in'), OFF))).toContain('recursion');
  });
});

describe('each of the three mends has a part of it', () => {
  test('locks that are let go of before output: no order is reversed, and input is re-entered still', () => {
    const fixes = { ...OFF, 'divert-unlocked-output': true };
    for (const build of [diverted('out'), protectedBoth, toGroup])
      expect(explore(build, fixes)).toMatchObject({ verdict: 'all', found: [] });
    expect(keysOf(explore(diverted('in'), fixes))).toEqual(['recursion']);
  });

  test('no multicast options: the list of memberships is not taken behind them, the firewall is', () => {
    const found = keysOf(explore(toGroup, { ...OFF, 'divert-no-multicast': true }));
    expect(found.filter((key) => key === 'reversal: div -> in_multi_mtx')).toEqual([]);
    expect(found).toContain('reversal: div -> IPFW static rules');
  });

  test('a queue: input is entered once a thread, and nothing of it is held over output', () => {
    expect(explore(diverted('in'), { ...OFF, 'divert-input-queued': true })).toMatchObject({
      verdict: 'all',
      found: [],
    });
    expect(keysOf(explore(diverted('out'), { ...OFF, 'divert-input-queued': true }))).toEqual(FIREWALL);
  });

  test('all three, as in every release since: nothing in any order', () => {
    const orders = [diverted('in'), diverted('out'), protectedBoth, toGroup].map((build) => {
      const after = explore(build);
      expect(after).toMatchObject({ verdict: 'all', found: [] });
      return after.searched?.orders;
    });
    expect(orders).toEqual([14, 7, 6, 11]);
  });
});

test('multicast options are refused where a divert socket can have none', () => {
  const bench = new IfnetBench({ profile: 'freebsd-13' });
  const { net, stack } = bench;
  const socket = new DivertSocket(net, stack.netisr, stack.ip);
  expect(bench.run(() => socket.setMulticastOptions())).toBe('EOPNOTSUPP');
  bench.run(() => stack.ip.input({}));
  expect(socket.received.length).toBe(1);
  bench.run(() => socket.send({}, 'in'));
  expect([socket.received.length, stack.ip.reentries]).toEqual([1, 0]);
});

test.each([
  ['in', diverted('in')],
  ['out', diverted('out')],
  ['protected', protectedBoth],
  ['to a group', toGroup],
])('no state is hidden from the search: %s', (_, build) => {
  for (const fixes of [OFF, {}]) {
    const searched = program({ profile: 'freebsd-13', fixes }, build, { searchesSetUp: true });
    expect([1, 2, 3].map((seed) => findHiddenState(searched, seed)?.text)).toEqual([undefined, undefined, undefined]);
  }
});
