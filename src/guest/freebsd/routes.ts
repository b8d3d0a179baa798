/**
 * The routes that addresses of interfaces bring (F-1), by the address that brought them: of a destination it says by which
 * interface it is reached. Source: net/route.c, netinet/in.c (in_addprefix()), as far as a detach has to take them away.
 * What this leaves out: prefixes (a route is found by the address itself), gateways, and FIBs behind the first one.
 */
import { type Footprint, HEAD, namePart } from '../../sim/footprint.ts';
import { Operation, SharedObject } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Ifnet } from './ifnet.ts';

export class RouteTable extends SharedObject {
  private readonly routes = new Map<string, Ifnet>();
  private readonly by = new Map<Ifnet, Set<string>>();

  constructor(sim: Simulation, vnet: string) {
    super(sim, `routes of ${vnet}`);
  }

  /** False when there is a route for it already. */
  add(address: string, ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'add', { address, ifp });
  }

  remove(address: string, ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'remove', { address, ifp });
  }

  /** rt_flushifroutes(): all that lead out by an interface; how many there were. */
  flush(ifp: Ifnet): Operation<number> {
    return new Operation(this, 'flush', { address: '', ifp });
  }

  find(address: string): Operation<Ifnet | undefined> {
    return new Operation(this, 'find', { address });
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): Ifnet | boolean | number | undefined {
    const { address, ifp } = arg as { readonly address: string; readonly ifp: Ifnet };
    switch (kind) {
      case 'add':
        return this.put(address, ifp);
      case 'remove':
        return this.routes.get(address) === ifp && this.drop(address, ifp);
      case 'flush':
        return this.flushAll(ifp);
      default:
        return this.routes.get(address);
    }
  }

  override touch({ kind, arg }: Operation, footprint: Footprint): void {
    const { place } = this;
    const { address } = arg as { readonly address: string };
    if (kind === 'find') {
      footprint.read(place);
      footprint.read(place, namePart(address));
    } else if (kind === 'flush') {
      footprint.write(place);
      footprint.write(place, HEAD);
    } else {
      footprint.write(place, HEAD);
      footprint.write(place, namePart(address));
    }
  }

  peek(): number {
    return this.routes.size;
  }

  private put(address: string, ifp: Ifnet): boolean {
    if (this.routes.has(address)) return false;
    this.routes.set(address, ifp);
    const others = this.by.get(ifp);
    if (others === undefined) this.by.set(ifp, new Set([address]));
    else others.add(address);
    return true;
  }

  private drop(address: string, ifp: Ifnet): boolean {
    this.routes.delete(address);
    const others = this.by.get(ifp);
    others?.delete(address);
    if (others?.size === 0) this.by.delete(ifp);
    return true;
  }

  private flushAll(ifp: Ifnet): number {
    const addresses = [...(this.by.get(ifp) ?? [])];
    for (const address of addresses) this.drop(address, ifp);
    return addresses.length;
  }
}
