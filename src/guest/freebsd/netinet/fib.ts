/**
 * Which FIB a packet is routed by: a process has one and hands it on to its children and its sockets, a socket to the
 * connections that it accepts, an interface to what comes in by it, and a tunnel keeps that of whoever set it up. What
 * answers a packet takes the packet's, and a classifier overrules all. Source: seed 003 (r178888), kern/kern_fork.c,
 * kern/uipc_socket.c (SO_SETFIB, sonewconn()), net/if.c (SIOCSIFFIB), net/if_gif.c (gif_fibnum); reference F-2.
 */
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, refuse } from '../net.ts';

/** Something that has a FIB of its own, from the one that it was made by. */
export class FibHolder {
  private own: number;
  private readonly place: Place;
  private readonly sim: Simulation;

  constructor(sim: Simulation, fib = 0) {
    this.sim = sim;
    this.own = fib;
    this.place = new Place(sim);
  }

  get fib(): number {
    this.place.read();
    return this.own;
  }

  /** fork() of a process, socket() in it, accept() on a listening socket, a tunnel that it sets up. */
  hand(): FibHolder {
    return new FibHolder(this.sim, this.fib);
  }

  /** setfib(2), SO_SETFIB, SIOCSTUNFIB: EINVAL when there is no such FIB. */
  set(net: FreebsdNet, fib: number): Errno | undefined {
    if (!isFib(net, fib)) return refuse(net, '', 'setfib', 'EINVAL');
    this.place.write();
    this.own = fib;
    return undefined;
  }
}

/** SIOCSIFFIB: EINVAL when there is no such FIB. */
export function* setInterfaceFib(net: FreebsdNet, ifp: Ifnet, fib: number): Task<Errno | undefined> {
  if (!isFib(net, fib)) return refuse(net, ifp.dev, 'SIOCSIFFIB', 'EINVAL');
  yield* ifp.addressLock.lock(); // a step of its own: others look at it without any lock
  ifp.fib = fib;
  yield* ifp.addressLock.unlock();
  return undefined;
}

/** What there is to go by for a packet; each is left out where the packet has no such thing. */
export interface PacketOrigin {
  /** ipfw setfib, of a rule that matched. */
  readonly classified?: number;
  /** The FIB of the packet that this one answers (a reset, an ICMP error). */
  readonly provokedBy?: number;
  /** The socket that sends it. */
  readonly socket?: FibHolder;
  /** The tunnel that wraps it: of the outer packet. */
  readonly tunnel?: FibHolder;
  /** The interface that it came in by. */
  readonly cameBy?: Ifnet;
}

/** M_GETFIB() of a packet that is routed now. */
export function fibOf({ classified, provokedBy, socket, tunnel, cameBy }: PacketOrigin): number {
  return classified ?? provokedBy ?? tunnel?.fib ?? socket?.fib ?? cameBy?.fib ?? 0;
}

const isFib = (net: FreebsdNet, fib: number): boolean => Number.isInteger(fib) && fib >= 0 && fib < net.fibCount;
