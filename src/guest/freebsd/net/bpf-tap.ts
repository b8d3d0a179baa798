/**
 * if_bpf: where the frames of an interface pass by those who listen. A detach gave the tap away to be freed later, and
 * that cleared the interface's pointer, whatever it pointed to by then (reference G-10). Source: net/bpf.c (bpfattach2(),
 * bpfdetach(), bpf_ifdetach()) before and after D11782, net/bpf_ifnet.c; which thread frees is invented.
 * What this leaves out: the memory of the tap, which nobody reads who did not find it by the pointer.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Queue } from '../../../sim/queue.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Ifnet } from './ifnet.ts';

/** struct bpf_if. */
export interface Tap {
  /** Descriptors that are bound to it. Guarded with the pointer to it. */
  readonly listeners: readonly Queue<Uint8Array>[];
}

/** dead_bpf_if: nobody can listen to it. What an interface has before the first tap and behind the last. */
export const DEAD_TAP: Tap = { listeners: [] };

/** bpfattach(). */
export function attachTap(ifp: Ifnet): void {
  ifp.tap = { listeners: [] };
}

/** bpfdetach(): who listened gets ENXIO from here on. */
export function* detachTap(net: FreebsdNet, ifp: Ifnet): Task {
  if (fixed(net, 'bpf-own-tap')) {
    ifp.tap = DEAD_TAP;
    return;
  }
  ifp.tap = { listeners: [] }; // on the free list, and found by the pointer still
  yield* net.taskqueue.enqueue({ name: `bpf_ifdetach of ${ifp.dev}`, body: () => freeTap(ifp) });
}

function* freeTap(ifp: Ifnet): Task {
  if (yield* ifp.memory.use('bpf_ifdetach')) ifp.tap = undefined;
}
