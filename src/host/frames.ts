/**
 * Frames through a NIC's owner: from the guest to the switch, and from the switch by the path that the NIC has.
 * Source: reference B.9 and E.1 (group frames always arrive by the synthetic path); D-20 for what the VF's filter drops.
 * What this leaves out: the first packet of a flow going by the synthetic path (that is a flow table's affair).
 */
import type { Path } from '../trace/event.ts';
import { PACKET_FILTER } from '../wire/oid.ts';
import type { Nic } from './nic.ts';
import { SWITCH } from './plan.ts';
import { sayFrame } from './receive-buffer.ts';

const BROADCAST = 0xff;

/** Frames that the guest has sent. */
export function egress(nic: Nic, frames: readonly Uint8Array[], path: Path): void {
  const why = path === 'vf' ? deafVf(nic) : deafNic(nic);
  if (why !== undefined) {
    for (const frame of frames) nic.lose(frame, path, why);
    return;
  }
  nic.state.carried[path].fromGuest += frames.length;
  nic.worker.tell(SWITCH, { what: 'egress', port: nic.name, frames });
}

/** A frame for the guest. */
export function ingress(nic: Nic, frame: Uint8Array): void {
  const isGroup = ((frame[0] ?? 0) & 1) === 1;
  if (nic.state.path === 'vf' && !isGroup) {
    const why = deafVf(nic);
    if (why !== undefined) nic.lose(frame, 'vf', why);
    else {
      nic.state.carried.vf.toGuest++;
      nic.worker.send({ to: 'rx', fn: nic.vf, frame });
    }
    return;
  }
  const why = deafNic(nic) ?? (passesFilter(nic, frame) ? undefined : 'packet filter');
  if (why === undefined) sayFrame(nic, frame);
  else nic.lose(frame, 'synthetic', why);
}

/** Why the VF carries nothing now. */
function deafVf(nic: Nic): string | undefined {
  const { fn } = nic;
  if (fn === undefined || !fn.alive) return 'VF is dead';
  if (nic.state.path !== 'vf') return 'VF filter';
  return fn.link.now ? undefined : 'VF link is down';
}

/** Why the synthetic path carries nothing now. */
function deafNic(nic: Nic): string | undefined {
  const { nvsp, link } = nic.state;
  if (!nvsp.operational) return 'no session';
  if (nvsp.filter === 0) return 'packet filter';
  return link ? undefined : 'link is down';
}

function passesFilter(nic: Nic, frame: Uint8Array): boolean {
  const { filter } = nic.state.nvsp;
  const first = frame[0] ?? 0;
  if ((filter & PACKET_FILTER.promiscuous) !== 0) return true;
  // The switch sends a unicast frame to the port that its address is behind, or to all while it does not know.
  if ((first & 1) === 0) return (filter & PACKET_FILTER.directed) !== 0 && isFor(nic, frame);
  const wanted = first === BROADCAST ? PACKET_FILTER.broadcast : PACKET_FILTER.allMulticast | PACKET_FILTER.multicast;
  return (filter & wanted) !== 0;
}

function isFor(nic: Nic, frame: Uint8Array): boolean {
  for (let i = 0; i < 6; i++) if (frame[i] !== nic.address[i]) return false;
  return true;
}
