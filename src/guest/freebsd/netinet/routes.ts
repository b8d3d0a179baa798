/**
 * A forwarding information base (FIB): of a network it says by which interface it is reached; of several that contain a
 * destination the longest one counts. A vnet has as many as the kernel was told to have.
 * Source: net/route.c, net/radix.c (rnh_matchaddr()), net/route/route_tables.c; reference F-1.
 * What this leaves out: gateways, metrics and paths of equal cost; the lock of each table (a change is one step), but who
 * has a neighbour table locked and changes or reads routes is told of to the lock-order checker (F-7).
 */
import type { Context } from '../../../sim/context.ts';
import { type Footprint, HEAD } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { LockClass, Witness } from '../kern/witness.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { networkKey, type Prefix, parsePrefix } from './ip-prefix.ts';

/** A route as a dump shows it. */
export interface Route {
  /** As it was given: `10.0.0.1/24`. */
  readonly destination: string;
  readonly ifp: Ifnet;
  /** RTF_LLINFO: a neighbour that was cloned from the route of its network, as kernels did before 2008 (F-7). */
  readonly neighbour: boolean;
}

interface Change {
  readonly destination: string;
  readonly ifp: Ifnet;
  readonly neighbour: boolean;
}

const RIB: LockClass = { name: 'rib head lock', kind: 'rm' };

export class RouteTable extends SharedObject {
  private readonly witness: Witness;
  /** By the network that each is of. */
  private readonly routes = new Map<string, Route>();
  private readonly by = new Map<Ifnet, Set<string>>();
  /** How many routes there are of each length, so that a search tries no others. */
  private readonly lengths = new Map<number, number>();

  constructor(sim: Simulation, witness: Witness, name: string) {
    super(sim, `routes of ${name}`);
    this.witness = witness;
  }

  /** False when there is a route of this network already. */
  add(destination: string, ifp: Ifnet, neighbour = false): Operation<boolean> {
    return new Operation(this, 'add', { destination, ifp, neighbour } satisfies Change);
  }

  /** False when there is none by this interface. What was cloned from it goes with it. */
  remove(destination: string, ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'remove', { destination, ifp, neighbour: false } satisfies Change);
  }

  /** rt_flushifroutes(): all that lead out by an interface; how many there were. */
  flush(ifp: Ifnet): Operation<number> {
    return new Operation(this, 'flush', { destination: '', ifp, neighbour: false } satisfies Change);
  }

  find(address: string): Operation<Ifnet | undefined> {
    return new Operation(this, 'find', { destination: address });
  }

  /** The route of exactly this network. */
  route(destination: string): Operation<Route | undefined> {
    return new Operation(this, 'route', { destination });
  }

  /** All routes, as `netstat -r` lists them. For whoever looks when nothing runs. */
  get now(): readonly Route[] {
    this.sim.footprint?.read(this.place, HEAD);
    return [...this.routes.values()];
  }

  /** Whether any leads out by an interface. For whoever looks when nothing runs. */
  leadsBy(ifp: Ifnet): boolean {
    this.sim.footprint?.read(this.place, HEAD);
    return this.by.has(ifp);
  }

  override arrive(_: Operation, context: Context): void {
    this.witness.check(context, RIB);
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): Ifnet | Route | boolean | number | undefined {
    const change = arg as Change;
    if (kind === 'flush') return this.flushAll(change.ifp);
    const prefix = parsePrefix(change.destination);
    if (prefix === undefined) return kind === 'add' || kind === 'remove' ? false : undefined;
    switch (kind) {
      case 'add':
        return this.put(prefix, change);
      case 'remove':
        return this.take(prefix, change.ifp);
      case 'route':
        return this.routes.get(networkKey(prefix));
      default:
        return this.longest(prefix)?.ifp;
    }
  }

  override touch({ kind }: Operation, footprint: Footprint): void {
    if (kind === 'find' || kind === 'route') footprint.read(this.place, HEAD);
    else footprint.write(this.place, HEAD);
  }

  peek(): number {
    return this.routes.size;
  }

  private longest(address: Prefix): Route | undefined {
    for (const length of [...this.lengths.keys()].sort((a, b) => b - a)) {
      const route = length <= address.length ? this.routes.get(networkKey(address, length)) : undefined;
      if (route !== undefined) return route;
    }
    return undefined;
  }

  private put(prefix: Prefix, { destination, ifp, neighbour }: Change): boolean {
    const key = networkKey(prefix);
    if (this.routes.has(key)) return false;
    this.routes.set(key, { destination, ifp, neighbour });
    this.lengths.set(prefix.length, (this.lengths.get(prefix.length) ?? 0) + 1);
    const others = this.by.get(ifp);
    if (others === undefined) this.by.set(ifp, new Set([key]));
    else others.add(key);
    return true;
  }

  private take(prefix: Prefix, ifp: Ifnet): boolean {
    const key = networkKey(prefix);
    if (this.routes.get(key)?.ifp !== ifp) return false;
    this.drop(key);
    for (const [other, route] of [...this.routes]) {
      if (route.neighbour && route.ifp === ifp && other !== key && networkOfRoute(route, prefix) === key)
        this.drop(other);
    }
    return true;
  }

  private drop(key: string): void {
    const { destination, ifp } = this.routes.get(key) as Route;
    this.routes.delete(key);
    const { length } = parsePrefix(destination) as Prefix;
    const left = (this.lengths.get(length) as number) - 1;
    if (left === 0) this.lengths.delete(length);
    else this.lengths.set(length, left);
    const others = this.by.get(ifp);
    others?.delete(key);
    if (others?.size === 0) this.by.delete(ifp);
  }

  private flushAll(ifp: Ifnet): number {
    const keys = [...(this.by.get(ifp) ?? [])];
    for (const key of keys) this.drop(key);
    return keys.length;
  }
}

/** The network of a prefix's length that a route's destination is in. */
function networkOfRoute({ destination }: Route, { length, family }: Prefix): string | undefined {
  const parsed = parsePrefix(destination);
  return parsed !== undefined && parsed.family === family && parsed.length >= length
    ? networkKey(parsed, length)
    : undefined;
}
