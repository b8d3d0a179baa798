/**
 * ether_input(): what becomes of a frame that came in on an Ethernet interface. Source: net/if_ethersubr.c
 * (ether_input_internal(), ether_demux()).
 * What this leaves out: protocols but IPv4; whoever wants a frame has it by bpf.
 */
import type { Task } from '../../../sim/operation.ts';
import { ETHER_TYPE } from '../../../wire/ethernet.ts';
import { getU16n } from '../../../wire/layout.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { tap } from './bpf.ts';
import type { InputMethod } from './ifnet.ts';

const ETHER_TYPE_OFFSET = 12;

/** A frame for an interface that is down is dropped. */
export const etherInput = (ipInput: InputMethod): InputMethod =>
  function* (ifp, frame) {
    if (((yield* ifp.flags.get()) & IFF.UP) === 0) return;
    yield* tap(ifp, frame);
    if (getU16n(frame, ETHER_TYPE_OFFSET) === ETHER_TYPE.ipv4) yield* ipInput(ifp, frame);
  };

/** A driver hands a frame up: as a reader in an epoch section, since there are such. */
export function* handUp(net: FreebsdNet, input: Task): Task {
  const inEpoch = fixed(net, 'receive-in-epoch');
  if (inEpoch) yield* net.epoch.enter();
  yield* input;
  if (inEpoch) yield* net.epoch.exit();
}
