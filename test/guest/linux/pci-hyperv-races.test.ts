import { expect, test } from 'vitest';
import { ms } from '../../../src/base/time.ts';
import { VPCI, type VpciMessage } from '../../../src/wire/vpci.ts';
import { carrying, type TestMachine } from '../../support/machine.ts';

/** What the host says when nobody asked: hv_pci_onchannelcallback() against removal, and against its own queue. */

/** Puts messages into the VF's channel in one breath, whatever the modelled host thinks of it. */
function says(m: TestMachine, ...messages: readonly VpciMessage[]): void {
  const device = [...m.kernel.vmbusCore['devices'].values()].find(({ dev }) => dev === 'nic1.vf');
  const rings = device?.channel.rings;
  const relid = device?.channel.offer.relid ?? 0;
  m.run(
    'host',
    'host',
    (function* () {
      for (const payload of messages) {
        const head = { type: 'inband', transactionId: 0n, completionRequested: false } as const;
        yield* rings?.toGuest.write({ ...head, payload, protocol: VPCI }) ?? [];
      }
      yield* m.machine.bus.interrupt(relid);
    })(),
  );
  m.pass(0);
}

const eject = (slot: number): VpciMessage => ({ name: 'eject', slot });
const relations = (...functions: readonly unknown[]): VpciMessage =>
  ({ name: 'busRelations2', functions }) as unknown as VpciMessage;
const slotOf = (m: TestMachine): number => [...m.kernel.pci['devices']].map(({ device }) => device)[0] ?? -1;

test('once the removal has begun, what the host says is ignored, with a word in the log', () => {
  const m = carrying();
  const slot = slotOf(m);
  m.start('modprobe', 'guest', m.machine.guest.execute({ do: 'unload', module: 'pci-hyperv' }));
  m.pass(ms(2)); // the VF's driver stops its queues
  says(m, eject(slot), relations());
  expect(m.log('nic1.vf')).toEqual(['PCI VMBus EJECT: ignored', 'PCI VMBus BUS_RELATIONS: ignored']);
  m.settle();
  expect(m.wire('vpci.message', 'guest')).toEqual(['busD0Exit']);
  expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
});

test('an eject of what is in no slot is dropped where it comes in', () => {
  const m = carrying();
  says(m, eject(7));
  m.settle();
  expect([m.wire('vpci.message', 'guest'), m.guest.masterOf('nic1.vf')]).toEqual([[], 'nic1']);
});

test('of several lists that wait only the newest counts', () => {
  const m = carrying();
  const one = { vendor: 0x15b3, device: 0x1018, slot: 5, serial: 9 };
  says(m, relations(one), relations());
  m.settle();
  expect(m.wire('vpci.message', 'guest')).toEqual([]);
  expect([...m.kernel.pci['slotNames']]).toEqual([]);
});

test('a host that does not answer at the end is waited for ten seconds', () => {
  const m = carrying();
  const device = [...m.kernel.vmbusCore['devices'].values()].find(({ dev }) => dev === 'nic1.vf');
  m.machine.bus.unlisten(device?.channel.offer.relid ?? 0); // its answer wakes nobody
  const done = m.start('modprobe', 'guest', m.machine.guest.execute({ do: 'unload', module: 'pci-hyperv' }));
  m.pass(ms(9_000));
  expect(done.result).toBe('waits');
  m.settle();
  expect(done.result).toMatchObject({ ok: true });
});
