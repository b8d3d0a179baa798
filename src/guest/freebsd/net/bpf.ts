/**
 * bpf(4), as the way by which a program has whole frames of an interface. Source: net/bpf.c (BIOCSETIF, bpfwrite(),
 * bpf_mtap()).
 * What this leaves out: filters and buffers.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';
import { Queue } from '../../../sim/queue.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { PacketSocket } from '../../uapi/uapi.ts';
import type { FreebsdNet } from '../net.ts';
import { DEAD_TAP } from './bpf-tap.ts';
import type { Ifnet } from './ifnet.ts';

/** bpf_mtap(): a frame passes by the tap of an interface; that it has one nobody looks. */
export function* tap(ifp: Ifnet, frame: Uint8Array): Task {
  const { tap: found } = ifp;
  if (found === undefined) return ifp.memory.nullPointer('if_bpf', 'bpf_mtap');
  for (const listener of found.listeners) yield* listener.put(frame);
}

/** Sends a frame out by an interface, in an epoch section: ENXIO when it is gone, ENETDOWN when it is down. */
export function* transmit({ epoch }: FreebsdNet, ifp: Ifnet, frame: Uint8Array): Task<Result<void, Errno>> {
  yield* epoch.enter();
  const errno = yield* send(ifp, frame);
  yield* epoch.exit();
  return errno === undefined ? ok(undefined) : err(errno);
}

function* send(ifp: Ifnet, frame: Uint8Array): Task<Errno | undefined> {
  if (((yield* ifp.flags.get()) & IFF.UP) === 0) return 'ENETDOWN';
  const methods = yield* ifp.methods.get();
  return yield* methods.transmit(frame);
}

export class BpfDevices extends SharedObject {
  private readonly net: FreebsdNet;

  constructor(sim: Simulation, net: FreebsdNet) {
    super(sim, 'bpf');
    this.net = net;
  }

  /** Binds a new descriptor to an interface of the default vnet. */
  open(ifname: string, name: string): Operation<Result<PacketSocket, Errno>> {
    return new Operation(this, 'open', { ifname, name });
  }

  enabled(): boolean {
    return true;
  }

  perform({ arg }: Operation): Result<PacketSocket, Errno> {
    const { ifname, name } = arg as { readonly ifname: string; readonly name: string };
    const ifp = this.net.vnet0.interfaces.findNow(ifname);
    if (ifp === undefined) return err('ENXIO');
    const { tap: before } = ifp;
    if (before === undefined || before === DEAD_TAP) return err('ENXIO');
    const received = new Queue<Uint8Array>(this.sim, `frames of ${name}`);
    ifp.tap = { ...before, listeners: [...before.listeners, received] };
    const close = (): void => {
      const { tap: now } = ifp;
      if (now?.listeners.includes(received) !== true) return;
      ifp.tap = { ...now, listeners: now.listeners.filter((other) => other !== received) };
    };
    return ok({ received, send: (frame) => this.write(ifp, received, frame), close });
  }

  peek(): string {
    return 'descriptors';
  }

  /** bpfwrite(): ENXIO once the tap that the descriptor was bound to is gone. */
  private *write(ifp: Ifnet, received: Queue<Uint8Array>, frame: Uint8Array): Task<Result<void, Errno>> {
    if (ifp.tap?.listeners.includes(received) !== true) return err('ENXIO');
    return yield* transmit(this.net, ifp, frame);
  }
}
