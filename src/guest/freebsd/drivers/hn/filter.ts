import type { Task } from '../../../../sim/operation.ts';
import { PACKET_FILTER } from '../../../../wire/oid.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import { setPacketFilter } from './rndis.ts';
import type { Hn } from './softc.ts';

/**
 * hn_rxfilter_config(): by the flags of hn; everything where the VF has a filter of its own. Source: if_hn.c; reference E.5.
 */
export function* configureFilter(hn: Hn): Task<boolean> {
  const flags = yield* hn.ifp.flags.get();
  const { directed, broadcast, allMulticast, promiscuous } = PACKET_FILTER;
  if (hn.receivesByVf.now || (flags & IFF.PROMISC) !== 0) return yield* setPacketFilter(hn, promiscuous);
  const wantsMulticast = (flags & IFF.ALLMULTI) !== 0 || hn.ifp.multicast.length > 0;
  return yield* setPacketFilter(hn, directed | broadcast | (wantsMulticast ? allMulticast : 0));
}
