/**
 * Ways to find an interface, and what each of them finds in which part of its life (the table of reference A.14). All but
 * those that give a reference are good only in an epoch section. Source: net/if.c (ifunit(), ifnet_byindex() and its kin).
 */
import type { Task } from '../../../sim/operation.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { Ifnet } from './ifnet.ts';

/** ifunit_ref(): on the list and not dying; the caller gives the reference back. */
export function* byNameReferenced(net: FreebsdNet, vnet: Vnet, name: string): Task<Ifnet | undefined> {
  yield* net.epoch.enter();
  const ifp = yield* vnet.interfaces.find(name);
  const held = ifp !== undefined && !(yield* isDying(ifp)) && (yield* ifp.references.tryAcquire());
  yield* net.epoch.exit();
  return held ? ifp : undefined;
}

/** ifnet_byindex(): whatever has the number, listed or not. With one table for all it must be in the vnet that asks. */
export function* byIndex(net: FreebsdNet, vnet: Vnet | undefined, index: number): Task<Ifnet | undefined> {
  const { indices } = vnet ?? net.vnet0;
  const { ifp } = yield* indices.look(index);
  if (ifp === undefined || vnet === undefined || net.profile.index === 'per-vnet') return ifp;
  return (yield* ifp.vnet.get()) === vnet ? ifp : undefined;
}

/** ifnet_byindex_ref(): not dying; the caller gives the reference back. */
export function* byIndexReferenced(net: FreebsdNet, vnet: Vnet | undefined, index: number): Task<Ifnet | undefined> {
  const onlyAttached = fixed(net, 'reference-needs-attached');
  const ifp = onlyAttached ? yield* byIndexAttached(net, vnet, index) : yield* byIndex(net, vnet, index);
  if (ifp === undefined || (yield* isDying(ifp))) return undefined;
  if (!fixed(net, 'if-try-ref')) yield* ifp.references.acquire();
  else if (!(yield* ifp.references.tryAcquire())) return undefined;
  const { dev, state, index: ifindex } = ifp;
  net.sim.trace.emit({ kind: 'ifnet.referenced', dev, state, ifindex, vnet: ifp.vnet.now.name });
  return ifp;
}

/** ifnet_byindex_attached() of D49447: only what is on the list. */
export function* byIndexAttached(net: FreebsdNet, vnet: Vnet | undefined, index: number): Task<Ifnet | undefined> {
  const ifp = yield* byIndex(net, vnet, index);
  if (ifp === undefined) return undefined;
  const on = vnet ?? (yield* ifp.vnet.get());
  return (yield* on.interfaces.has(ifp)) ? ifp : undefined;
}

/** What a packet remembers of the interface that it came in by (m_rcvif_serialize()). */
export interface IndexGeneration {
  readonly index: number;
  readonly generation: number;
}

/** ifnet_byindexgen(): the same interface or none, but in whatever vnet it is now. */
export function* byIndexGeneration(
  net: FreebsdNet,
  vnet: Vnet,
  { index, generation }: IndexGeneration,
): Task<Ifnet | undefined> {
  const slot = yield* vnet.indices.look(index);
  if (slot.ifp === undefined || slot.generation !== generation) return undefined;
  const { ifp } = slot;
  if (!fixed(net, 'generation-knows-vnet')) return ifp;
  return (yield* ifp.vnet.get()) === vnet ? ifp : undefined;
}

function* isDying(ifp: Ifnet): Task<boolean> {
  return ((yield* ifp.flags.get()) & IFF.DYING) !== 0;
}
