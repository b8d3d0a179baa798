import type { Task } from '../../../../sim/operation.ts';
import type { Errno } from '../../../uapi/errno.ts';
import { attachNvs, detachNvs } from './nvs.ts';
import { haltRndis, initializeRndis } from './rndis.ts';
import type { Hn } from './softc.ts';

/** hn_synth_attach(): channel, NVS and RNDIS; on failure everything is undone. With the HN lock. Source: if_hn.c. */
export function* attachSynthetic(hn: Hn, mtu: number): Task<Errno | undefined> {
  const session = yield* attachNvs(hn, mtu);
  if (!session.ok) return session.error;
  yield* hn.session.set(session.value);
  if (yield* initializeRndis(hn)) return undefined;
  yield* detachNvs(hn, session.value);
  return 'EIO';
}

/** hn_synth_detach(). */
export function* detachSynthetic(hn: Hn): Task {
  const session = hn.session.now;
  if (session === undefined) return;
  yield* haltRndis(hn);
  yield* detachNvs(hn, session);
}
