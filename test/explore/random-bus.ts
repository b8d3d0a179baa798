/** The objects of the bus for random programs: rings that are nearly full, mailboxes, event flags, message slots. */
import { EventFlags } from '../../src/bus/interrupts.ts';
import { Mailbox } from '../../src/bus/mailbox.ts';
import { GuestMemory } from '../../src/bus/memory.ts';
import type { RingPacket } from '../../src/bus/packet.ts';
import { Ring } from '../../src/bus/ring.ts';
import { RingValues } from '../../src/bus/ring-values.ts';
import { Synic } from '../../src/bus/synic.ts';
import { Doorbell } from '../../src/sim/doorbell.ts';
import type { Task } from '../../src/sim/operation.ts';
import type { Simulation } from '../../src/sim/simulation.ts';

/** Actions that meet at one kind of object. */
export const BUS_FAMILIES = [
  ['write', 'writeWhenFree', 'read', 'shut'],
  ['post', 'signal', 'frame', 'refuse', 'collect'],
  ['listen', 'unlisten', 'interrupt', 'heedChannel'],
  ['deliver', 'takeMessage'],
] as const;

export type BusAction = (typeof BUS_FAMILIES)[number][number];

const BUS_ACTIONS: readonly string[] = BUS_FAMILIES.flat();

export const isBusAction = (what: string): what is BusAction => BUS_ACTIONS.includes(what);

/** A ring of one data page holds three of these, so that a few writes fill it. */
const LARGE_BYTES = 1_100;

export class RandomBus {
  private readonly rings: readonly Ring[];
  private readonly mailboxes: readonly Mailbox[];
  private readonly bells: readonly Doorbell[];
  private readonly flags: EventFlags;
  private readonly synic: Synic;

  constructor(sim: Simulation, objects: number) {
    const each = <T>(make: (name: string) => T): T[] => Array.from({ length: objects }, (_, i) => make(`${i}`));
    this.rings = each((name) => new Ring(sim, `ring ${name}`, new RingValues(2)));
    this.mailboxes = each((name) => new Mailbox(sim, `mailbox ${name}`));
    this.bells = each((name) => new Doorbell(sim, `channel bell ${name}`));
    this.flags = new EventFlags(sim);
    this.synic = new Synic(sim, new GuestMemory('direct'));
  }

  /** All that can be told apart at the end of a run. */
  state(): unknown {
    return [
      this.rings.map((ring) => ring.peek()),
      this.unread(),
      this.mailboxes.map((mailbox) => mailbox.save()).map(({ items, refused }) => [items, [...refused].sort()]),
      this.bells.map((bell) => bell.peek()),
      [...this.flags.save()].sort(),
      this.synic.save(),
    ];
  }

  /** Who wrote what still lies in the rings. */
  private unread(): readonly (readonly string[])[] {
    return this.rings.map((ring) => {
      const { packets } = ring.save().store as { readonly packets: readonly { readonly packet: unknown }[] };
      return packets.map(({ packet: it }) => senderOf(it));
    });
  }

  /** One action of the context with this number; gives what the context got. */
  *act(what: BusAction, n: number, mine: number): Task<unknown> {
    const ring = this.rings[n] as Ring;
    const mailbox = this.mailboxes[n] as Mailbox;
    const bell = this.bells[n] as Doorbell;
    switch (what) {
      case 'write':
        return yield* ring.write(packet(mine));
      case 'writeWhenFree':
        return yield* ring.writeWhenFree(packet(mine));
      case 'read':
        return senderOf(yield* ring.read());
      case 'shut':
        return yield* ring.shut();
      case 'post':
        return yield* mailbox.put({ what: 'message', connection: mine, message: { name: 'unload' } });
      case 'signal':
        return yield* mailbox.put({ what: 'signal', channel: n });
      case 'frame':
        return yield* mailbox.put({ what: 'frame', from: `${mine % 2}`, frame: new Uint8Array(1) });
      case 'refuse':
        return yield* mailbox.refuse(`${n}`, mine % 2 === 0);
      case 'collect':
        return JSON.stringify(yield* mailbox.take());
      case 'listen':
        yield* bell.silence();
        this.flags.listen(n, bell);
        return undefined;
      case 'unlisten':
        yield* bell.silence();
        this.flags.unlisten(n);
        return undefined;
      case 'interrupt':
        return yield* this.flags.interrupt(n);
      case 'heedChannel':
        return yield* bell.wait();
      case 'deliver':
        return yield* this.synic.deliver({ name: 'relidReleased', childRelid: mine });
      case 'takeMessage':
        return JSON.stringify(yield* this.synic.take());
    }
  }
}

const packet = (mine: number): RingPacket => ({
  type: 'inband',
  transactionId: BigInt(mine),
  completionRequested: false,
  payload: new Uint8Array(LARGE_BYTES),
});

const senderOf = (read: unknown): string =>
  read === undefined ? 'none' : String((read as { transactionId?: bigint }).transactionId);
