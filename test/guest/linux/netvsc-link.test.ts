import { expect, test } from 'vitest';
import { seconds } from '../../../src/base/time.ts';
import { linkChangeWork } from '../../../src/guest/linux/drivers/hv-netvsc/link.ts';
import { NetvscNic } from '../../../src/guest/linux/drivers/hv-netvsc/nic.ts';
import type { HvDevice } from '../../../src/guest/linux/vmbus-core.ts';
import { machine, type TestMachine } from '../../support/machine.ts';

/** netvsc_link_change(): each case looks at the link first; one event every two seconds. Reference B.11. */

const link = (m: TestMachine, up: boolean) => m.host.act({ do: 'nic-link', nic: 'nic1', up });
const told = (m: TestMachine) => m.story('netdev.carrier', 'notifier').filter((line) => /carrier|PEERS/.test(line));

function opened(): TestMachine {
  const m = machine();
  m.host.offer();
  m.guest.up('nic1');
  m.settle();
  m.forget();
  return m;
}

/** What a link event does to a NIC that is not registered, so that no other event mixes in. */
function apart(m: TestMachine): NetvscNic {
  const device = [...m.kernel.vmbusCore['devices'].values()][0] as HvDevice;
  function* nothing() {
    return undefined;
  }
  const nic = new NetvscNic(m.kernel, device, (self) => ({
    vfTakeover: nothing,
    vfNamespace: nothing,
    linkChange: () => linkChangeWork(self),
    netdev: { open: nothing, stop: nothing, startXmit: nothing },
  }));
  m.run(
    'attach',
    'guest',
    (function* () {
      yield* nic.session.set({} as never);
    })(),
  );
  return nic;
}

test.each([
  { up: true, event: 'connect', does: ['NOTIFY_PEERS nic1'] },
  { up: true, event: 'disconnect', does: [] },
  { up: true, event: 'network-change', does: ['carrier of nic1: up'] },
  { up: false, event: 'connect', does: ['carrier of nic1: up'] },
  { up: false, event: 'disconnect', does: [] },
  { up: false, event: 'network-change', does: [] },
] as const)('$event while the link is up: $up', ({ up, event, does }) => {
  const m = opened();
  const nic = apart(m);
  nic.linkUp = up;
  m.run(
    'napi',
    'guest',
    (function* () {
      yield* nic.linkEvents.set([event]);
      yield* nic.linkChange.schedule();
    })(),
  );
  m.settle();
  expect(told(m)).toEqual(does);
  expect(nic.linkUp).toBe(event === 'connect' || (event === 'network-change' && up));
});

test('a link that goes twice goes once', () => {
  const m = opened();
  link(m, false);
  link(m, false);
  m.settle();
  expect(told(m)).toEqual(['carrier of nic1: down']);
});

test('down and up in one breath take effect two seconds apart', () => {
  const m = opened();
  link(m, false);
  link(m, true);
  m.pass(seconds(1));
  expect(told(m)).toEqual(['carrier of nic1: down']);
  m.settle();
  expect(told(m)).toEqual(['carrier of nic1: down', 'carrier of nic1: up']);
});
