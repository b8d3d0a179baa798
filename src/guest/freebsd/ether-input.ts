/**
 * ether_input(): what becomes of a frame that came in on an Ethernet interface. Source: net/if_ethersubr.c
 * (ether_input_internal()).
 * What this leaves out: the protocols above; whoever wants a frame has it by bpf.
 */
import { IFF } from '../uapi/freebsd.ts';
import { tap } from './bpf.ts';
import type { InputMethod } from './ifnet.ts';

/** A frame for an interface that is down is dropped. */
export const etherInput: InputMethod = function* (ifp, frame) {
  if (((yield* ifp.flags.get()) & IFF.UP) !== 0) yield* tap(ifp, frame);
};
