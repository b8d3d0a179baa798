/**
 * Neighbours: which link address an address of a network has. Each interface has a table of each family, with a lock of
 * its own, that comes and goes with the family's data; routes are another matter, and have other locks. Before December
 * 2008 a neighbour was a route that was cloned from the one of its network.
 * Source: net/if_llatbl.c (lltable_free(), lltable_prefix_free()), netinet/if_ether.c (arpresolve()); reference F-7.
 * What this leaves out: asking (a neighbour is learnt or not), timers of entries, and packets that wait for an answer.
 */
import type { MacAddress } from '../../../base/mac.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { Lock } from '../kern/lock.ts';
import { nullDereference } from '../kern/memory.ts';
import type { LockClass, Witness } from '../kern/witness.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { AfData, Family } from './af-data.ts';
import { contains, familyOf, type Prefix, parsePrefix } from './ip-prefix.ts';

const LLTABLE: LockClass = { name: 'lltable', kind: 'rm' };

/** struct lltable: the neighbours of one interface, of one family. Who touches them has the lock. */
export class LlTable {
  readonly lock: Lock;
  /** None until there is one: most interfaces never have any. */
  private entries: Map<string, MacAddress> | undefined;
  private readonly place: Place;

  constructor(sim: Simulation, witness: Witness, dev: string, family: Family) {
    this.lock = new Lock(sim, witness, LLTABLE, `${dev} ${family}`);
    this.place = new Place(sim);
  }

  get size(): number {
    this.place.read();
    return this.entries?.size ?? 0;
  }

  get addresses(): readonly string[] {
    this.place.read();
    return [...(this.entries?.keys() ?? [])];
  }

  get(address: string): MacAddress | undefined {
    this.place.read();
    return this.entries?.get(address);
  }

  set(address: string, mac: MacAddress): void {
    this.place.write();
    this.entries ??= new Map();
    this.entries.set(address, mac);
  }

  delete(address: string): void {
    this.place.write();
    this.entries?.delete(address);
  }
}

/** The family's data of an interface, for whoever goes on to use it. In an epoch section. */
function* dataOf(net: FreebsdNet, ifp: Ifnet, family: Family, by: string): Task<AfData | undefined> {
  const data = yield* ifp.afdata[family].get();
  if (data === undefined) nullDereference(net.sim, ifp.dev, `if_afdata[${family}]`, by);
  return data;
}

/** An answer came in (arpintr()): the neighbour is known from here on. In an epoch section. */
export function* learnNeighbour(net: FreebsdNet, ifp: Ifnet, address: string, mac: MacAddress): Task {
  if (!fixed(net, 'neighbours-apart')) {
    const vnet = yield* ifp.vnet.get();
    yield* vnet.routes.add(address, ifp, true);
    return;
  }
  const data = yield* dataOf(net, ifp, familyOf(address), 'lla_create');
  if (data === undefined) return;
  const { lltable, memory } = data;
  yield* lltable.lock.lock();
  if (yield* memory.use('lla_create')) lltable.set(address, mac);
  yield* lltable.lock.unlock();
}

/** lla_lookup(). In an epoch section. */
export function* neighbourOf(net: FreebsdNet, ifp: Ifnet, address: string): Task<boolean> {
  if (!fixed(net, 'neighbours-apart')) {
    const vnet = yield* ifp.vnet.get();
    return (yield* vnet.routes.route(address))?.neighbour === true;
  }
  const data = yield* dataOf(net, ifp, familyOf(address), 'lla_lookup');
  if (data === undefined) return false;
  const { lltable, memory } = data;
  yield* lltable.lock.lockShared();
  const found = (yield* memory.use('lla_lookup')) && lltable.get(address) !== undefined;
  yield* lltable.lock.unlockShared();
  return found;
}

/** `arp -d`: ENXIO when there is no such neighbour. */
export function* forgetNeighbour(net: FreebsdNet, ifp: Ifnet, address: string): Task<Errno | undefined> {
  const data = yield* ifp.afdata[familyOf(address)].get();
  if (data === undefined) return refuse(net, ifp.dev, 'RTM_DELETE', 'ENXIO');
  const { lltable } = data;
  yield* lltable.lock.lock();
  const known = lltable.get(address) !== undefined;
  lltable.delete(address);
  yield* lltable.lock.unlock();
  return known ? undefined : refuse(net, ifp.dev, 'RTM_DELETE', 'ENXIO');
}

/** lltable_prefix_free(): a network has gone from an interface, and so have those in it. */
export function* flushNeighbours(net: FreebsdNet, ifp: Ifnet, network: Prefix): Task {
  if (!fixed(net, 'neighbours-apart')) return;
  const data = yield* ifp.afdata[network.family].get();
  if (data === undefined) return;
  const { lltable } = data;
  yield* lltable.lock.lock();
  for (const address of lltable.addresses) {
    const parsed = parsePrefix(address);
    if (parsed !== undefined && contains(network, parsed)) lltable.delete(address);
  }
  yield* lltable.lock.unlock();
}

/** lltable_free(): before the data that they hang on is freed. An empty table costs no step, as nobody waits for it. */
export function* endNeighbours({ lltable }: AfData): Task {
  if (lltable.size === 0) return;
  yield* lltable.lock.lock();
  for (const address of lltable.addresses) lltable.delete(address);
  yield* lltable.lock.unlock();
}
