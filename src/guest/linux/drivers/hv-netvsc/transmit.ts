/**
 * Sending a frame: by the VF when it carries, else by the synthetic path.
 * Source: drivers/net/hyperv/netvsc_drv.c (netvsc_xmit()), netvsc.c (netvsc_send_pkt()); reference B.9.
 * What this leaves out: queues, offloads, batching, frames larger than a send section (sent by page list there; here
 * every frame is copied into a section). A full ring or no free section drops the frame.
 */
import type { Task } from '../../../../sim/operation.ts';
import { RNDIS_CHANNEL } from '../../../../wire/nvsp.ts';
import { RNDIS } from '../../../../wire/rndis.ts';
import { fixed } from '../../kernel.ts';
import { transmit } from '../../packets.ts';
import type { NetvscNic } from './nic.ts';
import { nvsp } from './nvsp-out.ts';

const NO_INFO: readonly [] = [];

/**
 * The gate: joined, running, carrier, and the host has been told. Each part is read without a lock, in this order,
 * so the VF can go between two of them.
 */
export function* startXmit(nic: NetvscNic, frame: Uint8Array): Task {
  const vf = yield* nic.vf.get();
  if (vf !== undefined) {
    const running = yield* vf.running.get();
    const carrier = running && (yield* vf.carrier.get());
    // Until 69d25a6cf4ca a VF that is up was sent by, whatever the host had been told.
    if (carrier && (!fixed(nic.kernel, 'vf-gate') || (yield* nic.dataPathIsVf.get()))) {
      // Told of where it is decided: a frame that overtakes a switch later on is nobody's fault.
      if (!nic.dataPathIsVf.now) nic.kernel.sim.trace.emit({ kind: 'netvsc.stray', nic: nic.dev, dev: vf.dev });
      yield* transmit(vf, frame);
      return;
    }
  }
  yield* sendSynthetic(nic, frame);
}

/** What the gate would say now; for reports. */
export function carriesByVf(nic: NetvscNic): boolean {
  const vf = nic.vf.now;
  const isUsable = vf?.running.now === true && vf.carrier.now;
  return isUsable && (!fixed(nic.kernel, 'vf-gate') || nic.dataPathIsVf.now);
}

function* sendSynthetic(nic: NetvscNic, data: Uint8Array): Task {
  const { kernel } = nic;
  const { channel } = nic.device;
  const id = channel.takeId();
  const section = yield* nic.sends.begin(id);
  const session = nic.session.now; // it stays as long as the frame is out
  if (section === undefined || session === undefined) return drop(nic, 'no free send section');
  const message = { name: 'packet', data, perPacketInfo: NO_INFO } as const;
  const size = kernel.bus.gpadls.store(session.send.gpadl, section * session.send.sectionSize, RNDIS, message);
  if (size === undefined || size > session.send.sectionSize) {
    yield* nic.sends.end(id);
    return drop(nic, 'larger than a send section');
  }
  const out = nvsp({
    name: 'sendRndisPacket',
    channelType: RNDIS_CHANNEL.data,
    sendSectionIndex: section,
    sendSectionSize: size,
  });
  const result = yield* channel.write(out, id);
  if (result === 'sent') return;
  yield* nic.sends.end(id);
  drop(nic, result === 'full' ? 'ring full' : 'channel taken back');
}

function drop(nic: NetvscNic, what: string): void {
  nic.kernel.sim.trace.emit({ kind: 'netdev.error', dev: nic.dev, what: `frame dropped: ${what}`, errno: 'ENOBUFS' });
}
