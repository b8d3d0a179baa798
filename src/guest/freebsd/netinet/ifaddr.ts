/**
 * struct ifaddr: one network address of an interface, with a count of those who have it. It is freed when nobody has it
 * and all readers have left. Source: net/if.c (ifa_alloc(), ifa_ref(), ifa_try_ref(), ifa_free()); reference F-3.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import { KernelMemory } from '../kern/memory.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { References } from '../net/references.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { Family } from './af-data.ts';
import { addressOf, type Prefix } from './ip-prefix.ts';

export class IfAddress {
  readonly family: Family;
  /** `10.0.0.1`, `fe80::1`. */
  readonly address: string;
  readonly prefix: Prefix;
  readonly ifp: Ifnet;
  /** The first is that of the interface's own list. */
  readonly references: References;
  readonly memory: KernelMemory;

  constructor(sim: Simulation, ifp: Ifnet, text: string, prefix: Prefix) {
    this.family = prefix.family;
    this.address = addressOf(text);
    this.prefix = prefix;
    this.ifp = ifp;
    this.references = new References(sim, ifp.dev, `${ifp.dev} ${this.address}.references`);
    this.memory = new KernelMemory(sim, ifp.dev, 'ifaddr');
  }
}

/** ifa_free(): one who had it has it no more. */
export function* releaseAddress(net: FreebsdNet, ifa: IfAddress): Task {
  if (!(yield* ifa.references.release())) return;
  net.addressCensus.delete(ifa);
  yield* net.epoch.call(`free ${ifa.address}`, () => freeAddress(ifa));
}

function* freeAddress(ifa: IfAddress): Task {
  yield* ifa.memory.free('ifa_destroy');
}

/**
 * ifa_ifwithaddr(): the address of a vnet that is this one. It is the caller's, who gives it back; before 2009 he had a
 * bare pointer, and nothing to give.
 */
export function* addressWith(net: FreebsdNet, vnet: Vnet, address: string): Task<IfAddress | undefined> {
  yield* net.epoch.enter();
  const ifa = yield* vnet.addresses.lookup(address);
  const held = ifa !== undefined && (yield* holdAddress(net, ifa)) ? ifa : undefined;
  yield* net.epoch.exit();
  return held;
}

/** ifa_ref() or ifa_try_ref(): false when it is on its way out (G-6). In an epoch section. */
export function* holdAddress(net: FreebsdNet, ifa: IfAddress): Task<boolean> {
  if (!fixed(net, 'address-references')) return true;
  if (fixed(net, 'ifa-try-ref')) return yield* ifa.references.tryAcquire();
  yield* ifa.references.acquire();
  return true;
}
