/**
 * What an address family keeps of an interface comes and goes with attach and detach. Whether it is freed under its
 * readers is what seed 001 is about (reference G-4).
 * Source: net/if.c (if_attachdomain(), if_detach_internal()), netinet6/in6.c (in6_domifattach()); reference A.6, A.9.
 * What this leaves out: that newer kernels make IPv4's at the arrival event (A.16).
 */
import type { Task } from '../../sim/operation.ts';
import { type AfData, FAMILIES } from './af-data.ts';
import type { Ifnet } from './ifnet.ts';
import { KernelMemory } from './memory.ts';
import { type FreebsdNet, fixed } from './net.ts';

/** if_attachdomain1(): each family's data is there from here on. */
export function* attachDomains(net: FreebsdNet, ifp: Ifnet): Task {
  for (const family of FAMILIES) {
    const what = family === 'inet' ? 'in_ifinfo' : 'in6_ifextra';
    yield* ifp.afdata[family].set({ family, memory: new KernelMemory(net.sim, ifp.dev, what) });
  }
}

/** The pointer is cleared, and the data freed: at once, or when all who could have followed the pointer have left. */
export function* detachDomains(net: FreebsdNet, ifp: Ifnet): Task {
  for (const family of FAMILIES) {
    const data = yield* ifp.afdata[family].exchange(undefined);
    if (data === undefined) continue;
    const isDeferred = fixed(net, family === 'inet' ? 'in-afdata-deferred' : 'in6-afdata-deferred');
    if (isDeferred) yield* net.epoch.call(`free ${data.memory.name}`, () => freeLater(data));
    else yield* data.memory.free('if_detach');
  }
}

function* freeLater({ memory }: AfData): Task {
  yield* memory.free('epoch callback');
}
