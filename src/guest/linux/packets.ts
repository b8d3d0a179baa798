/**
 * Frames between drivers, packet sockets and slaves' masters. Source: net/core/dev.c (__netif_receive_skb_core(),
 * dev_queue_xmit()), net/packet/af_packet.c.
 * What this leaves out: queues, qdiscs, protocols above Ethernet (programs bring their own through packet sockets).
 */
import { err, ok, type Result } from '../../base/result.ts';
import { Operation, SharedObject, type Task } from '../../sim/operation.ts';
import { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';
import type { PacketSocket } from '../uapi/uapi.ts';
import type { NetNames } from './names.ts';
import type { Netdev } from './netdev.ts';

/**
 * A frame came in on `dev`. A socket that is bound to the device gets it, and when a master takes the frame, so does
 * one that is bound to the master: with VF and master both listened to, both hear.
 */
export function* receive(dev: Netdev, frame: Uint8Array): Task {
  if (!dev.running.now) return;
  for (const socket of [...dev.sockets]) yield* socket.put(frame);
  if (dev.rxHandler === undefined) return;
  const master = dev.rxHandler(frame);
  for (const socket of [...master.sockets]) yield* socket.put(frame);
}

/** dev_queue_xmit(): a frame for a device that is not running goes nowhere. */
export function* transmit(dev: Netdev, frame: Uint8Array): Task<Result<void, Errno>> {
  if (dev.state !== 'registered') return err('ENODEV');
  if (!(yield* dev.running.get())) return err('ENETDOWN');
  yield* dev.ops.startXmit(frame);
  return ok(undefined);
}

/** Makes packet sockets: binding looks the name up as any lockless look-up does. */
export class PacketSockets extends SharedObject {
  private readonly names: NetNames;

  constructor(sim: Simulation, names: NetNames) {
    super(sim, 'packet sockets');
    this.names = names;
  }

  open(ifname: string, name: string): Operation<Result<PacketSocket, Errno>> {
    return new Operation(this, 'open', { ifname, name });
  }

  enabled(): boolean {
    return true;
  }

  perform(operation: Operation): Result<PacketSocket, Errno> {
    const { ifname, name } = operation.arg as { ifname: string; name: string };
    const dev = this.names.find(ifname);
    if (dev === undefined) return err('ENODEV');
    const received = new Queue<Uint8Array>(this.sim, `frames of ${name}`);
    dev.bind(received);
    return ok({
      received,
      send: (frame) => transmit(dev, frame),
      close: () => dev.unbind(received),
    });
  }

  peek(): string {
    return 'sockets';
  }
}
