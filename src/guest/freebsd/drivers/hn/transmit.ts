/**
 * Sending a frame: by the VF when that carries, else by the synthetic path. Source: if_hn.c (hn_transmit(), hn_encap());
 * reference E.4.
 * What this leaves out: queues, offloads, aggregation, frames larger than a section of the send buffer (every frame is
 * copied into one). A full ring or no free section drops the frame.
 */
import type { Task } from '../../../../sim/operation.ts';
import { RNDIS_CHANNEL } from '../../../../wire/nvsp.ts';
import { RNDIS } from '../../../../wire/rndis.ts';
import type { Errno } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import { nvs } from './nvs-out.ts';
import type { Hn } from './softc.ts';

const NO_INFO: readonly [] = [];

export function* transmit(hn: Hn, frame: Uint8Array): Task<Errno | undefined> {
  if (!(yield* hn.memory.use('hn_transmit'))) return 'ENXIO';
  if (yield* hn.vfEnabled.get()) {
    yield* hn.vfLock.lockShared();
    const vf = (yield* hn.vfEnabled.get()) ? hn.vf.now : undefined;
    if (vf !== undefined) {
      const errno = yield* sendByVf(hn, frame);
      yield* hn.vfLock.unlockShared();
      return errno;
    }
    yield* hn.vfLock.unlockShared();
  }
  if (((yield* hn.ifp.drvFlags.get()) & IFF.RUNNING) === 0) return 'ENETDOWN';
  return yield* sendSynthetic(hn, frame);
}

/** With the VF lock: the VF is there as long as that is held. */
function* sendByVf(hn: Hn, frame: Uint8Array): Task<Errno | undefined> {
  const vf = hn.vf.now;
  if (vf === undefined || !(yield* vf.memory.use('hn_transmit'))) return 'ENXIO';
  const methods = yield* vf.methods.get();
  return yield* methods.transmit(frame);
}

function* sendSynthetic(hn: Hn, data: Uint8Array): Task<Errno | undefined> {
  const { kernel } = hn;
  const { channel } = hn.device;
  const id = channel.takeId();
  const section = yield* hn.sends.begin(id);
  const session = hn.session.now; // it stays as long as the frame is out
  if (section === undefined || session === undefined) return drop(hn, 'no free section');
  const { gpadl, sectionSize } = session.chimney;
  const message = { name: 'packet', data, perPacketInfo: NO_INFO } as const;
  const size = kernel.bus.gpadls.store(gpadl, section * sectionSize, RNDIS, message);
  if (size === undefined || size > sectionSize) {
    yield* hn.sends.end(id);
    return drop(hn, 'larger than a section');
  }
  const { data: channelType } = RNDIS_CHANNEL;
  const packet = { name: 'sendRndisPacket', channelType, sendSectionIndex: section, sendSectionSize: size } as const;
  const result = yield* channel.write(nvs(packet), id);
  if (result === 'sent') return undefined;
  yield* hn.sends.end(id);
  return drop(hn, result === 'full' ? 'ring full' : 'channel taken back');
}

function drop({ kernel, dev }: Hn, what: string): Errno {
  kernel.sim.trace.emit({ kind: 'netdev.error', dev, what: `frame dropped: ${what}`, errno: 'ENOBUFS' });
  return 'ENOBUFS';
}
