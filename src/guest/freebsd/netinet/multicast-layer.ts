import { Cell } from '../../../sim/cell.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import { Lock } from '../kern/lock.ts';
import type { LockClass, Witness } from '../kern/witness.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { MulticastSocket } from './multicast-socket.ts';

const IN_MULTI: LockClass = { name: 'in_multi_sx', kind: 'sx' };

/** What multicast has once a machine. Source: netinet/in_mcast.c (in_multi_sx, in_mcast_loop). */
export class MulticastLayer {
  /** in_multi_sx: joins and leaves, one at a time. */
  readonly lock: Lock;
  /** net.inet.ip.mcast.loop: what new sockets begin with. */
  readonly loopByDefault: Cell<boolean>;
  private readonly sockets = new Map<Vnet, Set<MulticastSocket>>();
  private readonly place: Place;

  constructor(sim: Simulation, witness: Witness) {
    this.lock = new Lock(sim, witness, IN_MULTI);
    this.loopByDefault = new Cell(sim, 'net.inet.ip.mcast.loop', true);
    this.place = new Place(sim);
  }

  /** Sockets of a vnet that have multicast options. */
  socketsOf(vnet: Vnet): readonly MulticastSocket[] {
    this.place.read();
    return [...(this.sockets.get(vnet) ?? [])];
  }

  opened(socket: MulticastSocket): void {
    this.place.write();
    const others = this.sockets.get(socket.vnet);
    if (others === undefined) this.sockets.set(socket.vnet, new Set([socket]));
    else others.add(socket);
  }

  closed(socket: MulticastSocket): void {
    this.place.write();
    const others = this.sockets.get(socket.vnet);
    others?.delete(socket);
    if (others?.size === 0) this.sockets.delete(socket.vnet);
  }
}
