import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { ALL_ONES, PCI_REGISTER, type PciFunction } from '../../src/bus/pci-function.ts';
import type { RevokeOrder } from '../../src/host/action.ts';
import type { FakeGuest, Options } from './fake-guest.ts';
import { connectedGuest, FakeNic } from './fake-nic.ts';

/** Of serial number 1 first. */
const SLOTS = [11, 12, 13];

/** A VF that comes into a slot of the machine's own PCI bus: the guest has no vPCI. */

function withSlot(options: Options = {}) {
  const guest = connectedGuest({ ...options, vfSlots: SLOTS });
  const nic = new FakeNic(guest).negotiated().rndisReady();
  guest.act({ do: 'plug-vf', nic: 'nic1' });
  guest.settle(ms(100));
  const fn = guest.bus.functions.get('nic1.vf');
  if (fn === undefined) throw new Error('there is no function');
  return { guest, nic, fn };
}

/** The guest's write to the port that ejects. */
function eject(guest: FakeGuest): void {
  guest.bus.deliverEjected('nic1.vf');
  guest.settle();
}
const states = (guest: FakeGuest): string[] => guest.story('host.vf', (event) => event.state);
const look = (fn: PciFunction) => [fn.present.now, fn.ejecting.now, fn.alive];

describe.each([false, true])('a VF in a slot, with a host that is rebuilt: %s', (reborn) => {
  test('comes without a channel, and says its slot', () => {
    const { guest, nic, fn } = withSlot({ reborn });
    expect(nic.said()).toEqual(['association 1 serial 12']);
    expect(guest.messages).toEqual([]);
    expect(look(fn)).toEqual([true, false, true]);
    expect(fn.identity?.serial).toBe(12);
    expect(nic.switchTo(1)).toBe(0);
    expect(guest.host.pathOf('nic1')).toBe('vf');
    expect(states(guest)).toEqual(['assigned', 'announced', 'offered']);
  });

  test.each<[RevokeOrder, readonly string[]]>([
    ['eject-first', ['association 0 serial 12']],
    ['assoc-first', []],
  ])('%s: the guest is asked to let go, and the function stays until it does', (order, after) => {
    const { guest, nic, fn } = withSlot({ reborn });
    nic.switchTo(1);
    nic.said();
    guest.act({ do: 'revoke-vf', nic: 'nic1', order });
    expect(look(fn)).toEqual([true, true, true]);
    expect(guest.host.vfStateOf('nic1')).toBe('unplugging');
    expect(nic.said()).toEqual(order === 'assoc-first' ? ['path 0', 'association 0 serial 12'] : []);
    eject(guest);
    expect(look(fn)).toEqual([false, false, false]);
    expect([guest.host.vfStateOf('nic1'), guest.host.pathOf('nic1')]).toEqual(['none', 'synthetic']);
    guest.settle(seconds(2));
    expect(nic.said()).toEqual(after);
    expect(states(guest).at(-1)).toBe('gone');
    expect(guest.told('host.refused')).toEqual([]);
  });

  test('a guest that does not let go loses it all the same', () => {
    const { guest, fn } = withSlot({ reborn });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'eject-first' });
    guest.settle(seconds(61));
    expect(guest.story('host.timeout', (event) => event.what)).toEqual(['eject of the slot']);
    expect(look(fn)).toEqual([false, false, false]);
    eject(guest);
    expect(guest.story('host.refused', (event) => event.why)).toEqual(['there is nothing in the slot']);
  });

  test('surprise: what is dead stands in its slot, and the guest is asked to let go of it', () => {
    const { guest, fn } = withSlot({ reborn });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'surprise' });
    expect(look(fn)).toEqual([true, false, false]);
    expect(guest.now(fn.configRead(PCI_REGISTER.id))).toBe(ALL_ONES);
    guest.settle(ms(60));
    expect(look(fn)).toEqual([true, true, false]);
    eject(guest);
    expect([look(fn), guest.host.vfStateOf('nic1')]).toEqual([[false, false, false], 'none']);
  });

  test('it comes back, into the slot of its new serial number', () => {
    const { guest, nic, fn } = withSlot({ reborn });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'eject-first' });
    eject(guest);
    guest.settle(seconds(2));
    nic.said();
    expect(guest.act({ do: 'plug-vf', nic: 'nic1', serial: 3 })).toBe('taken up');
    guest.settle(ms(100));
    expect(nic.said()).toEqual(['association 1 serial 13']);
    expect([look(fn), fn.identity?.serial]).toEqual([[true, false, true], 13]);
  });

  test('a serial number that has no slot is refused', () => {
    const { guest } = withSlot({ reborn });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'eject-first' });
    expect(guest.act({ do: 'plug-vf', nic: 'nic1', serial: 4 })).toBe(
      'there is no slot for serial number 4, but for 1 to 3',
    );
  });

  test('a guest that lets go by itself has no VF until the host gives it one', () => {
    const { guest, nic, fn } = withSlot({ reborn });
    nic.switchTo(1);
    eject(guest);
    guest.settle(seconds(2));
    expect([look(fn), guest.host.pathOf('nic1')]).toEqual([[false, false, false], 'synthetic']);
  });
});
