import { describe, expect, test } from 'vitest';
import { mac } from '../../../src/base/mac.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { FreebsdGuest } from '../../../src/guest/freebsd/freebsd-guest.ts';
import { allocateIfnet } from '../../../src/guest/freebsd/net/allocate.ts';
import { etherAttach } from '../../../src/guest/freebsd/net/attach.ts';
import type { Profile } from '../../../src/guest/freebsd/profile.ts';
import { IFF } from '../../../src/guest/uapi/freebsd.ts';
import type { GuestCommand } from '../../../src/guest/uapi/uapi.ts';
import { Latency } from '../../../src/sim/latency.ts';
import type { Task } from '../../../src/sim/operation.ts';
import { Simulation } from '../../../src/sim/simulation.ts';
import { keep } from '../../../src/trace/recorder.ts';
import { profileOf } from './net/ifnet-bench.ts';

/** A guest whose interfaces a test attaches by itself. */
class GuestBench {
  readonly sim = new Simulation();
  readonly events = keep(this.sim.trace);
  readonly guest: FreebsdGuest;
  readonly sent: Uint8Array[] = [];

  constructor(profile: Profile = profileOf({})) {
    const { sim } = this;
    this.guest = new FreebsdGuest(sim, new Bus(sim, 'direct'), {
      profile,
      latency: new Latency(),
      vfTraits: [],
      devOf: () => '',
    });
  }

  run<T>(task: () => Task<T>): T {
    let result: T | undefined;
    this.sim.spawn('test', 'guest', collect());
    this.sim.run({ stepsMax: this.sim.steps + 10_000 });
    return result as T;

    function* collect(): Task {
      result = yield* task();
    }
  }

  attach(dev: string, dunit: number): void {
    const { net } = this.guest.kernel;
    const { sent } = this;
    const methods = {
      *ioctl() {
        return undefined;
      },
      *transmit(frame: Uint8Array) {
        sent.push(frame);
        return undefined;
      },
    };
    this.run(function* () {
      const flags = IFF.BROADCAST | IFF.SIMPLEX | IFF.MULTICAST;
      const options = { dev, type: 'ether', dname: 'em', dunit, methods, flags } as const;
      const made = yield* net.curvnet.within(net.vnet0, allocateIfnet(net, options));
      if (!made.ok) throw new Error(made.error);
      yield* net.curvnet.within(net.vnet0, etherAttach(net, made.value, mac('00:0d:3a:00:00:01')));
    });
  }

  do(command: GuestCommand): string {
    const done = this.run(() => this.guest.execute(command));
    return done.ok ? 'ok' : done.error;
  }
}

test('an administrator sees and changes interfaces by name', () => {
  const bench = new GuestBench();
  const { guest } = bench;
  bench.attach('nic1', 0);
  bench.attach('nic2', 1);
  const answers = [
    { do: 'up', ifname: 'em0' },
    { do: 'mtu', ifname: 'em0', mtu: 9000 },
    { do: 'rename', ifname: 'em0', to: 'lan' },
    { do: 'address', ifname: 'lan', mac: mac('02:00:00:00:00:09') },
    { do: 'flags', ifname: 'lan', flags: { arp: false } },
  ].map((command) => bench.do(command as GuestCommand));
  expect(answers).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  expect(guest.netdevOf('nic1')).toMatchObject({ name: 'lan', up: true, mtu: 9000, netns: { name: 'vnet0' } });
  expect(bench.run(() => guest.listInterfaces())).toEqual(['lan', 'em1']);
  expect(bench.run(() => guest.dumpLinks())).toMatchObject([
    { ifname: 'lan', ifindex: 1, mac: '02:00:00:00:00:09', mtu: 9000 },
    { ifname: 'em1', ifindex: 2, mac: '00:0d:3a:00:00:01', mtu: 1500 },
  ]);
  expect(bench.run(() => guest.nameToIndex('lan'))).toEqual({ ok: true, value: 1 });
  expect(bench.run(() => guest.indexToName(2))).toEqual({ ok: true, value: 'em1' });
  expect(bench.run(() => guest.indexToName(7))).toEqual({ ok: false, error: 'ENXIO' });
  expect(bench.run(() => guest.interfaceCount())).toBe(2);
});

describe('bad input gets the errno that FreeBSD gives, in the trace, and the machine goes on', () => {
  test.each([
    ['no such interface', { do: 'up', ifname: 'em9' }, 'ENXIO'],
    ['no such vnet', { do: 'up', ifname: 'em0', netns: 'nobody' }, 'ENXIO'],
    ['a name that is too long', { do: 'rename', ifname: 'em0', to: 'sixteen-letters!' }, 'ENAMETOOLONG'],
    ['a name that is taken', { do: 'rename', ifname: 'em0', to: 'em1' }, 'EEXIST'],
    ['an MTU that is too small', { do: 'mtu', ifname: 'em0', mtu: 71 }, 'EINVAL'],
    ['a move to no such jail', { do: 'move-netns', ifname: 'em0', to: 'nobody' }, 'ENXIO'],
    ['a move to the same vnet', { do: 'move-netns', ifname: 'em0', to: 'vnet0' }, 'EEXIST'],
    ['a master', { do: 'master', ifname: 'em0', master: 'em1' }, 'EOPNOTSUPP'],
  ] as const)('%s: %s', (_, command, errno) => {
    const bench = new GuestBench();
    bench.attach('nic1', 0);
    bench.attach('nic2', 1);
    expect(bench.do(command)).toBe(errno);
    expect(bench.events.findLast(({ kind }) => kind === 'netdev.error')).toMatchObject({ errno });
    expect(bench.do({ do: 'up', ifname: 'em0' })).toBe('ok');
  });
});

test('an interface goes to a jail, and home when the jail ends', () => {
  const bench = new GuestBench();
  const { guest } = bench;
  bench.attach('nic1', 0);
  expect(bench.do({ do: 'add-netns', name: 'jail' })).toBe('ok');
  expect(bench.do({ do: 'move-netns', ifname: 'em0', to: 'jail' })).toBe('ok');
  expect(guest.netdevOf('nic1')?.netns?.name).toBe('jail');
  expect(bench.run(() => guest.listInterfaces())).not.toContain('em0');
  expect(bench.run(() => guest.listInterfaces('jail'))).toContain('em0');
  expect(bench.do({ do: 'up', ifname: 'em0', netns: 'jail' })).toBe('ok');
  expect(bench.do({ do: 'delete-netns', name: 'jail' })).toBe('ok');
  expect(guest.netdevOf('nic1')?.netns?.name).toBe('vnet0');
});

test('what each channel tells of an interface that comes, is up and goes to a jail', () => {
  const bench = new GuestBench();
  const { guest, sim } = bench;
  const routing = guest.subscribeRouting('monitor');
  const links = guest.subscribeLinks('manager');
  const devctl = guest.subscribeDevctl('devd');
  bench.do({ do: 'add-netns', name: 'jail' });
  bench.attach('nic1', 0);
  bench.do({ do: 'up', ifname: 'em0' });
  bench.do({ do: 'move-netns', ifname: 'em0', to: 'jail' });
  const told = {
    routing: routing.contents().map((m) => [m.message, 'what' in m ? m.what : ''].join(' ').trim()),
    links: links.contents().map(({ message }) => message),
    devctl: devctl.contents().map(({ system, type }) => `${system} ${type}`),
  };
  expect(told).toEqual({
    routing: ['RTM_IFANNOUNCE arrival', 'RTM_IFINFO', 'RTM_IFINFO', 'RTM_IFANNOUNCE departure'],
    links: ['new', 'new', 'new', 'del'],
    devctl: ['IFNET ATTACH', 'ETHERNET IFATTACH', 'IFNET DETACH'],
  });
  expect(sim.trace.count).toBeGreaterThan(0);
});

test('a program sends whole frames by an interface that is up, and by none that has gone', () => {
  const bench = new GuestBench();
  const { guest } = bench;
  bench.attach('nic1', 0);
  const frame = new Uint8Array(60);
  const answers = bench.run(function* () {
    const none = yield* guest.openPacket('em9', 'program');
    const socket = yield* guest.openPacket('em0', 'program');
    if (!socket.ok) return [];
    const down = yield* socket.value.send(frame);
    yield* guest.execute({ do: 'up', ifname: 'em0' });
    const up = yield* socket.value.send(frame);
    socket.value.close();
    return [none, down, up];
  });
  expect(answers).toEqual([{ ok: false, error: 'ENXIO' }, { ok: false, error: 'ENETDOWN' }, { ok: true }]);
  expect(bench.sent).toEqual([frame]);
});
