/**
 * What the synthetic NIC answers to queries and sets.
 * Source: linux/rndis.h; drivers/net/hyperv/rndis_filter.c (what is asked, and what is made of it); reference C.6.
 * What this leaves out: offloads and RSS (the answers say that there are none), statistics, changes of the MAC (they
 * are taken up and have no effect: the plan's address stays).
 */
import { macBytes } from '../base/mac.ts';
import { getU32, setU16, setU32 } from '../wire/layout.ts';
import { MEDIA_STATE, OID, RNDIS_STATUS } from '../wire/oid.ts';
import type { RndisControl } from '../wire/rndis.ts';
import type { Nic } from './nic.ts';

type Query = Extract<RndisControl, { name: 'query' }>;
type Set = Extract<RndisControl, { name: 'set' }>;

/** Frames up to this MTU go through one section: 1500 without jumbo frames. */
const FRAME_SIZE = 1500;
const FRIENDLY_NAME = 'Network Adapter';
/** drivers/net/hyperv/hyperv_net.h: NDIS_OBJECT_TYPE_OFFLOAD, NDIS_OBJECT_TYPE_RSS_CAPABILITIES. */
const OBJECT_OFFLOAD = 0xa7;
const OBJECT_RSS = 0x88;
/** Sizes of struct ndis_recv_scale_cap with one queue and no table. */
const RSS_CAPABILITIES_SIZE = 18;
/** struct ndis_object_header. */
const OBJECT_HEADER_SIZE = 4;

export function querySupported(nic: Nic, query: Query): { readonly status: number; readonly info: Uint8Array } {
  if (!nic.state.nvsp.operational) return { status: RNDIS_STATUS.failure, info: new Uint8Array(0) };
  const info = answer(nic, query);
  if (info === undefined) {
    nic.refuse('query', `OID 0x${query.oid.toString(16)} is not supported`);
    return { status: RNDIS_STATUS.notSupported, info: new Uint8Array(0) };
  }
  return { status: RNDIS_STATUS.success, info };
}

/** The status of the answer. */
export function setSupported(nic: Nic, { oid, info }: Set): number {
  if (!nic.state.nvsp.operational) return RNDIS_STATUS.failure;
  switch (oid) {
    case OID.currentPacketFilter:
      if (info.length < 4) return RNDIS_STATUS.invalidLength;
      nic.state.nvsp.filter = getU32(info, 0);
      return RNDIS_STATUS.success;
    case OID.tcpOffloadParameters:
    case OID.receiveScaleParameters:
    case OID.rndisConfigParameter:
    case OID.multicastList:
      return RNDIS_STATUS.success;
    default:
      nic.refuse('set', `OID 0x${oid.toString(16)} is not supported`);
      return RNDIS_STATUS.notSupported;
  }
}

function answer(nic: Nic, { oid, info }: Query): Uint8Array | undefined {
  switch (oid) {
    case OID.supportedList:
      return words(...Object.values(OID));
    case OID.maximumFrameSize:
      return words(FRAME_SIZE);
    case OID.maximumTotalSize:
      return words(FRAME_SIZE + 14);
    case OID.linkSpeed:
      return words(nic.model.linkSpeed100bps);
    case OID.vendorDescription:
      return Uint8Array.from(FRIENDLY_NAME, (char) => char.charCodeAt(0));
    case OID.currentPacketFilter:
      return words(nic.state.nvsp.filter);
    case OID.mediaConnectStatus:
      return words(nic.state.link ? MEDIA_STATE.connected : MEDIA_STATE.disconnected);
    case OID.friendlyName:
      return utf16(FRIENDLY_NAME);
    case OID.permanentAddress:
    case OID.currentAddress:
      return macBytes(nic.plan.mac);
    case OID.receiveScaleCapabilities:
      return rssCapabilities();
    case OID.tcpOffloadHardwareCapabilities:
    case OID.tcpOffloadCurrentConfig:
      return noOffloads(info);
    default:
      return undefined;
  }
}

/** struct ndis_offload with nothing in it, in the revision and of the size that the guest has asked with. */
function noOffloads(asked: Uint8Array): Uint8Array | undefined {
  if (asked.length < OBJECT_HEADER_SIZE) return undefined;
  const out = new Uint8Array(asked.length);
  out[0] = OBJECT_OFFLOAD;
  out[1] = asked[1] as number;
  setU16(out, 2, out.length);
  return out;
}

function rssCapabilities(): Uint8Array {
  const out = new Uint8Array(RSS_CAPABILITIES_SIZE);
  out[0] = OBJECT_RSS;
  out[1] = 1;
  setU16(out, 2, out.length);
  // One message interrupt and one receive queue: a guest then asks for no sub-channels.
  setU32(out, 8, 1);
  setU32(out, 12, 1);
  return out;
}

function words(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 * values.length);
  for (let i = 0; i < values.length; i++) setU32(out, 4 * i, values[i] as number);
  return out;
}

function utf16(text: string): Uint8Array {
  const out = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) setU16(out, 2 * i, text.charCodeAt(i));
  return out;
}
