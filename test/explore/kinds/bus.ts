/** The objects at which host and guest meet: rings that are nearly full, mailboxes, event flags, message slots, functions. */
import { mac } from '../../../src/base/mac.ts';
import { EventFlags } from '../../../src/bus/interrupts.ts';
import { Mailbox } from '../../../src/bus/mailbox.ts';
import { GuestMemory } from '../../../src/bus/memory.ts';
import type { RingPacket } from '../../../src/bus/packet.ts';
import { PCI_REGISTER, PciFunction } from '../../../src/bus/pci-function.ts';
import { Ring } from '../../../src/bus/ring.ts';
import { RingValues } from '../../../src/bus/ring-values.ts';
import { Synic } from '../../../src/bus/synic.ts';
import { Doorbell } from '../../../src/sim/doorbell.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { kind } from './kind.ts';

/** A ring of one data page holds three of these, so that a few writes fill it. */
const LARGE_BYTES = 1_100;

const packet = (mine: number): RingPacket => ({
  type: 'inband',
  transactionId: BigInt(mine),
  completionRequested: false,
  payload: new Uint8Array(LARGE_BYTES),
});

const senderOf = (read: unknown): string =>
  read === undefined ? 'none' : String((read as { transactionId?: bigint }).transactionId);

/** Who wrote what still lies in a ring. */
function unread(ring: Ring): readonly string[] {
  const { packets } = ring.save().store as { readonly packets: readonly { readonly packet: unknown }[] };
  return packets.map(({ packet: it }) => senderOf(it));
}

const FUNCTION = {
  vendor: 0x15b3,
  revision: 0,
  classCode: 0x02_00_00,
  barSizes: [4096],
  mac: mac('00:0d:3a:00:00:01'),
  serial: 1,
};

const eventFlags = (sim: Simulation): EventFlags => new EventFlags(sim);
const synic = (sim: Simulation): Synic => new Synic(sim, new GuestMemory('direct'));

export const BUS_KINDS = {
  ring: kind({
    make: ({ sim }, name) => new Ring(sim, `ring ${name}`, new RingValues(2)),
    actions: {
      write: (ring, { mine }) => ring.write(packet(mine)),
      writeWhenFree: (ring, { mine }) => ring.writeWhenFree(packet(mine)),
      *read(ring) {
        return senderOf(yield* ring.read());
      },
      shut: (ring) => ring.shut(),
    },
    state: (ring) => [ring.peek(), unread(ring)],
  }),
  mailbox: kind({
    make: ({ sim }, name, i) => ({ box: new Mailbox(sim, `mailbox ${name}`), i }),
    actions: {
      post: ({ box }, { mine }) => box.put({ what: 'message', connection: mine, message: { name: 'unload' } }),
      signal: ({ box, i }) => box.put({ what: 'signal', channel: i }),
      frame: ({ box }, { mine }) => box.put({ what: 'frame', from: `${mine % 2}`, frame: new Uint8Array(1) }),
      refuse: ({ box, i }, { mine }) => box.refuse(`${i}`, mine % 2 === 0),
      *take({ box }) {
        return JSON.stringify(yield* box.take());
      },
    },
    state({ box }) {
      const { items, refused } = box.save();
      return [items, [...refused].sort()];
    },
  }),
  eventFlags: kind({
    make: ({ once, sim }, name, i) => ({ flags: once(eventFlags), bell: new Doorbell(sim, `channel bell ${name}`), i }),
    actions: {
      *listen({ flags, bell, i }) {
        yield* bell.silence();
        flags.listen(i, bell);
      },
      *unlisten({ flags, bell, i }) {
        yield* bell.silence();
        flags.unlisten(i);
      },
      interrupt: ({ flags, i }) => flags.interrupt(i),
      heed: ({ bell }) => bell.wait(),
    },
    state: ({ flags, bell }) => [[...flags.save()].sort(), bell.peek()],
  }),
  synic: kind({
    make: ({ once }) => once(synic),
    actions: {
      deliver: (slot, { mine }) => slot.deliver({ name: 'relidReleased', childRelid: mine }),
      *take(slot) {
        return JSON.stringify(yield* slot.take());
      },
    },
    state: (slot) => slot.save(),
  }),
  pciFunction: kind({
    make({ sim }, name) {
      const owner = new Mailbox(sim, `owner of function ${name}`);
      return { owner, device: new PciFunction(sim, `function ${name}`, owner) };
    },
    actions: {
      plugIn: ({ device }, { mine }) => device.plugIn({ ...FUNCTION, device: mine }),
      die: ({ device }) => device.fallSilent('dead'),
      leave: ({ device }) => device.fallSilent('absent'),
      configRead: ({ device }) => device.configRead(PCI_REGISTER.id),
      configWrite: ({ device }, { mine }) => device.configWrite(PCI_REGISTER.command, mine),
      command: ({ device }) => device.configRead(PCI_REGISTER.command),
      barRead: ({ device }) => device.barRead(0),
      mac: ({ device }, actor) => actor.within(() => device.mac),
      transmit: ({ device }, { mine }) => device.transmit(new Uint8Array([mine])),
      *receive({ device }) {
        return (yield* device.rx.take())[0];
      },
      deliver: ({ device }, { mine }) => device.rx.put(new Uint8Array([mine])),
    },
    state: ({ device, owner }) => [
      device.save().registers.get(PCI_REGISTER.command),
      device.peek(),
      owner.peek(),
      device.rx.peek(),
    ],
  }),
};
