import { describe, expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import { REVOKE_ORDERS } from '../../src/host/action.ts';
import { carrying, type TestMachine } from '../support/machine.ts';

/** A VM lives through many firmware updates (reference E.5: 900 an hour): what is left behind adds up. */

/** Everything that could pile up, as counts. */
function inventory(m: TestMachine) {
  const { sim, machine } = m;
  const { bus } = machine;
  const record = bus.save();
  const { pci, vmbusCore, vmbus, net } = m.kernel;
  const freed = [...record.memory.freed].reduce((sum, [pages, runs]) => sum + pages * runs.length, 0);
  return {
    contexts: [...sim.alive()].map(({ name }) => name).sort(),
    deadline: sim.clock.nextDeadline(),
    timers: sim.clock['heap'].length,
    gpadls: bus.gpadls.handles().length,
    pagesInUse: record.memory.nextPfn - freed,
    values: record.memory.values.size,
    rings: record.rings.length,
    routes: record.routes.length,
    mail: record.mailboxes.map(([name, { items }]) => [name, items.length]),
    flags: record.flags.length,
    slots: [...pci['slotNames']],
    domains: [...pci['domains']],
    pciDevices: pci['devices'].size,
    channels: vmbusCore['devices'].size,
    awaited: vmbus['waiting'].size,
    names: net.init.names.peek(),
    sysfs: net.init.sysfs.peek(),
    devices: [...net.devices()].map(({ dev }) => dev).sort(),
    host: Object.values(machine.host.save().workers).map(sizes),
  };
}

/** How long each list of a record is; numbers only count up. */
function sizes(record: unknown): readonly string[] {
  if (typeof record !== 'object' || record === null) return [];
  return Object.entries(record).flatMap(([key, value]) => {
    if (Array.isArray(value)) return [`${key}: ${value.length}`];
    return value instanceof Map ? [`${key}: ${value.size}`] : sizes(value);
  });
}

function cycle(m: TestMachine, order: (typeof REVOKE_ORDERS)[number], choice = {}): void {
  const nics = m.machine.plan.nics.map(({ name }) => name);
  for (const nic of nics) expect(m.host.revoke(nic, order)).toBeUndefined();
  m.settle();
  for (const nic of nics) expect([m.guest.has(`${nic}.vf`), m.host.pathOf(nic)]).toEqual([false, 'synthetic']);
  for (const nic of nics) expect(m.host.plug(nic, choice)).toBeUndefined();
  m.settle();
  for (const nic of nics) expect([m.guest.pathOf(nic), m.host.pathOf(nic)]).toEqual(['vf', 'vf']);
}

describe.each(REVOKE_ORDERS)('200 revokes by %s', (order) => {
  test.each(['direct', 'bytes'] as const)(
    'leave nothing behind, %s',
    (transport) => {
      const m = carrying({ transport });
      cycle(m, order);
      cycle(m, order);
      const after2 = inventory(m);
      const { name, ifindex } = m.guest.netdev('nic1.vf');
      for (let round = 2; round < 200; round++) cycle(m, order);
      expect(inventory(m)).toEqual(after2);
      expect([m.guest.netdev('nic1.vf').name, m.guest.netdev('nic1.vf').ifindex]).toEqual([name, ifindex + 198]);
      expect(m.stuck()).toBe('');
    },
    60_000,
  );
});

test('two NICs at once, each with its own VF again', () => {
  const m = carrying({ nics: 2 });
  cycle(m, 'eject-first');
  const before = inventory(m);
  for (let round = 0; round < 20; round++) cycle(m, 'eject-first');
  expect(inventory(m)).toEqual(before);
  expect([m.guest.masterOf('nic1.vf'), m.guest.masterOf('nic2.vf')]).toEqual(['nic1', 'nic2']);
});

test('the name comes back, the ifindex never does', () => {
  const m = carrying({ nics: 2 });
  const seen = new Set<number>();
  for (let round = 0; round < 20; round++) {
    cycle(m, 'surprise');
    for (const nic of ['nic1', 'nic2']) seen.add(m.guest.netdev(`${nic}.vf`).ifindex);
  }
  expect(seen.size).toBe(40);
  expect([m.guest.netdev('nic1.vf').name, m.guest.netdev('nic2.vf').name]).toEqual(['eth1', 'eth3']);
});

test('as another family: another driver, the same name and NIC', () => {
  const m = carrying();
  const drivers: string[] = [];
  for (const family of ['mana', 'mlx5', 'example', 'mlx5']) {
    cycle(m, 'eject-first', { family });
    drivers.push(m.guest.netdev('nic1.vf').parent?.driver ?? '');
  }
  expect(drivers).toEqual(['mana', 'mlx5_core', 'example_vf', 'mlx5_core']);
  expect(m.guest.netdev('nic1.vf').name).toBe('eth1');
});

test('with another serial number each time: joined by it, and the slot is called so', () => {
  const m = carrying();
  for (const serial of [7, 3, 7, 4_000_000_000]) {
    cycle(m, 'eject-first', { serial });
    expect([...m.kernel.pci['slotNames']]).toEqual([String(serial)]);
  }
});

test('a VF whose driver is not there comes and goes without a device, and joins once the driver is loaded', () => {
  const m = carrying();
  m.host.revoke();
  m.settle();
  m.guest.unload('mana');
  for (let round = 0; round < 5; round++) {
    m.host.plug('nic1', { family: 'mana' });
    m.settle();
    expect(m.guest.has('nic1.vf')).toBe(false);
    if (round < 4) m.host.revoke();
    m.settle();
  }
  m.guest.load('mana');
  m.settle();
  expect([m.guest.masterOf('nic1.vf'), m.host.pathOf()]).toEqual(['nic1', 'vf']);
});

test.each(['direct', 'bytes'] as const)('host and bus saved and rebuilt in the middle of a cycle, %s', (transport) => {
  const plain = carrying({ transport });
  const rebuilt = carrying({ transport });
  let times = 0;
  for (const m of [plain, rebuilt]) {
    m.host.revoke();
    m.pass(seconds(1));
    if (m === rebuilt) times += rebuild(m);
    m.settle();
    m.host.plug();
    for (let i = 0; i < 10; i++) {
      m.pass(seconds(0.1));
      if (m === rebuilt) times += rebuild(m);
    }
    m.settle();
  }
  expect(times).toBe(11);
  expect(rebuilt.host.pathOf()).toBe('vf');
  expect(rebuilt.story('log', 'uevent', 'vmbus.message', 'nvsp.message', 'vpci.message')).toEqual(
    plain.story('log', 'uevent', 'vmbus.message', 'nvsp.message', 'vpci.message'),
  );
  expect(inventory(rebuilt)).toEqual(inventory(plain));
});

function rebuild(m: TestMachine): 1 {
  expect(m.sim.quiescent).toBe(true);
  m.machine.loadHost(m.machine.saveHost());
  return 1;
}
