/**
 * What an address family keeps of an interface comes and goes with attach and detach. Whether it is freed under its
 * readers is what seed 001 is about (reference G-4).
 * Source: net/if.c (if_attachdomain(), if_detach_internal()), netinet6/in6.c (in6_domifattach()); reference A.6, A.9.
 * What this leaves out: that newer kernels make IPv4's at the arrival event (A.16).
 */
import { Cell } from '../../../sim/cell.ts';
import type { Task } from '../../../sim/operation.ts';
import { KernelMemory } from '../kern/memory.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed, kernelAssert } from '../net.ts';
import { type AfData, FAMILIES } from '../netinet/af-data.ts';
import type { InMulti } from '../netinet/in-multi.ts';
import { endNeighbours, LlTable } from '../netinet/neighbours.ts';

/** if_attachdomain1(): each family's data is there from here on; what was left of an earlier vnet goes. */
export function* attachDomains(net: FreebsdNet, ifp: Ifnet): Task {
  for (const family of FAMILIES) {
    const what = family === 'inet' ? 'in_ifinfo' : 'in6_ifextra';
    const memory = new KernelMemory(net.sim, ifp.dev, what);
    const lltable = new LlTable(net.sim, net.witness, ifp.dev, family);
    const allHosts = new Cell<InMulti | undefined>(net.sim, `${ifp.dev}.${what} all hosts`, undefined);
    const old = yield* ifp.afdata[family].exchange({ family, memory, lltable, allHosts });
    if (old !== undefined)
      yield* net.epoch.call(`free ${old.memory.name}`, () => freeData(net, ifp, old, 'epoch callback'));
  }
}

/**
 * The pointer is cleared and the data freed, whoever follows it; or else it stays for those who do, until the interface
 * itself is freed. The text of D54728 could not be read: this is the rule that it follows (seed 001, rule 1).
 */
export function* detachDomains(net: FreebsdNet, ifp: Ifnet): Task {
  for (const family of FAMILIES) {
    if (fixed(net, family === 'inet' ? 'in-afdata-deferred' : 'in6-afdata-deferred')) continue;
    const data = yield* ifp.afdata[family].exchange(undefined);
    if (data !== undefined) yield* freeData(net, ifp, data, 'if_detach');
  }
}

/** What is left of the families' data when the interface itself is freed. */
export function* freeDomains(net: FreebsdNet, ifp: Ifnet): Task {
  for (const family of FAMILIES) {
    const data = ifp.afdata[family].now;
    if (data !== undefined) yield* freeData(net, ifp, data, 'epoch callback');
  }
}

/** Neighbours end with it: who learns one meanwhile leaves it behind (F-7). */
function* freeData(net: FreebsdNet, ifp: Ifnet, data: AfData, by: string): Task {
  yield* endNeighbours(data);
  yield* data.memory.free(by);
  kernelAssert(net, data.lltable.size === 0, ifp.dev, `${by}: a neighbour outlives the ${data.family} data`);
}
