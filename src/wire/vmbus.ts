import { guid as guidOf } from '../base/guid.ts';
import { bit, bytes, guid, pages, u8, u16, u32, u64 } from './layout.ts';
import { type MessageOf, type Table, tableProtocol } from './message.ts';

/**
 * VMBus channel management: the messages that travel through the SynIC, not through rings.
 * Source: linux/hyperv.h, enum vmbus_channel_message_type and struct vmbus_channel_*; offsets as in reference C.10.
 * Leaves out: hv_sock connects (21, 23), the reserved numbers 18 to 20, isolation, version 6.0 and GPADLs of several
 * ranges (a header with another range count is read, its first range only).
 */

/** linux/hyperv.h, VERSION_WIN8 and its successors. Newest first: the order in which Linux asks. */
export const VMBUS_VERSIONS = {
  '5.3': 0x50003,
  '5.2': 0x50002,
  '5.1': 0x50001,
  '5.0': 0x50000,
  '4.1': 0x40001,
  '4.0': 0x40000,
  '3.0': 0x30000,
  '2.4': 0x20004,
} as const;

/** Interface types of offers. linux/hyperv.h: HV_NIC_GUID, HV_PCIE_GUID. */
export const CLASS_GUIDS = {
  nic: guidOf('f8615163-df3e-46c5-913f-f2d2f965ed0e'),
  pciPassThrough: guidOf('44c4f61d-4444-4400-9d52-802e27ede19f'),
} as const;

/** linux/hyperv.h, VMBUS_CHANNEL_*: `channelFlags` of an offer. */
export const CHANNEL_FLAGS = {
  enumerateDeviceInterface: 0x1,
  serverSupportsTransferPages: 0x2,
  serverSupportsGpadls: 0x4,
  namedPipeMode: 0x10,
  loopbackOffer: 0x100,
  parentOffer: 0x200,
  requestMonitoredNotification: 0x400,
  tlnpiProviderOffer: 0x2000,
} as const;

/** drivers/hv/channel.c, create_gpadl_header(): what a 240-byte message leaves room for. */
export const GPADL_HEADER_PFNS_MAX = 26;
export const GPADL_BODY_PFNS_MAX = 28;

/** Where Linux starts counting GPADL handles. drivers/hv/connection.c: next_gpadl_handle. */
export const FIRST_GPADL_HANDLE = 0xe1e10;

const WIN8 = VMBUS_VERSIONS['2.4'];

export const VMBUS_MESSAGES = {
  /** struct vmbus_channel_offer_channel. */
  offerChannel: {
    type: 1,
    since: WIN8,
    from: 'host',
    size: 196,
    fields: {
      interfaceType: guid(8),
      interfaceInstance: guid(24),
      channelFlags: u16(56),
      mmioMegabytes: u16(58),
      userDefined: bytes(60, 120),
      /** 0 for a primary channel. */
      subChannelIndex: u16(180),
      childRelid: u32(184),
      monitorId: u8(188),
      monitorAllocated: bit(189, 0),
      isDedicatedInterrupt: bit(190, 0),
      connectionId: u32(192),
    },
  },
  /** struct vmbus_channel_rescind_offer. */
  rescindChannelOffer: { type: 2, since: WIN8, from: 'host', size: 12, fields: { childRelid: u32(8) } },
  requestOffers: { type: 3, since: WIN8, from: 'guest', size: 8, fields: {} },
  allOffersDelivered: { type: 4, since: WIN8, from: 'host', size: 8, fields: {} },
  /** struct vmbus_channel_open_channel. */
  openChannel: {
    type: 5,
    since: WIN8,
    from: 'guest',
    size: 148,
    fields: {
      childRelid: u32(8),
      openId: u32(12),
      ringGpadl: u32(16),
      targetVp: u32(20),
      /** First page of the host-to-guest ring within the GPADL. */
      downstreamPageOffset: u32(24),
      userData: bytes(28, 120),
    },
  },
  /** struct vmbus_channel_open_result. */
  openChannelResult: {
    type: 6,
    since: WIN8,
    from: 'host',
    size: 20,
    fields: { childRelid: u32(8), openId: u32(12), status: u32(16) },
  },
  /** struct vmbus_channel_close_channel. There is no reply. */
  closeChannel: { type: 7, since: WIN8, from: 'guest', size: 12, fields: { childRelid: u32(8) } },
  /** struct vmbus_channel_gpadl_header with its one struct gpa_range. `rangeBuflen` counts all PFNs, bodies included. */
  gpadlHeader: {
    type: 8,
    since: WIN8,
    from: 'guest',
    size: 28,
    fields: {
      childRelid: u32(8),
      gpadl: u32(12),
      rangeBuflen: u16(16),
      rangeCount: u16(18),
      byteCount: u32(20),
      byteOffset: u32(24),
      pfns: pages(28, GPADL_HEADER_PFNS_MAX),
    },
  },
  /** struct vmbus_channel_gpadl_body. */
  gpadlBody: {
    type: 9,
    since: WIN8,
    from: 'guest',
    size: 16,
    fields: { messageNumber: u32(8), gpadl: u32(12), pfns: pages(16, GPADL_BODY_PFNS_MAX) },
  },
  /** struct vmbus_channel_gpadl_created. */
  gpadlCreated: {
    type: 10,
    since: WIN8,
    from: 'host',
    size: 20,
    fields: { childRelid: u32(8), gpadl: u32(12), status: u32(16) },
  },
  /** struct vmbus_channel_gpadl_teardown. */
  gpadlTeardown: { type: 11, since: WIN8, from: 'guest', size: 16, fields: { childRelid: u32(8), gpadl: u32(12) } },
  /** struct vmbus_channel_gpadl_torndown. */
  gpadlTorndown: { type: 12, since: WIN8, from: 'host', size: 12, fields: { gpadl: u32(8) } },
  /** struct vmbus_channel_relid_released. */
  relidReleased: { type: 13, since: WIN8, from: 'guest', size: 12, fields: { childRelid: u32(8) } },
  /** struct vmbus_channel_initiate_contact. */
  initiateContact: {
    type: 14,
    since: WIN8,
    from: 'guest',
    size: 40,
    fields: {
      version: u32(8),
      targetVcpu: u32(12),
      /** From 5.0 on its lowest byte is the SINT for messages and the next one the VTL: see `messageTarget`. */
      interruptPage: u64(16),
      monitorPage1: u64(24),
      monitorPage2: u64(32),
    },
  },
  /** struct vmbus_channel_version_response. From 5.0 on `connectionId` is where later messages go. */
  versionResponse: {
    type: 15,
    since: WIN8,
    from: 'host',
    size: 16,
    fields: { supported: u8(8), connectionState: u8(9), connectionId: u32(12) },
  },
  /** drivers/hv/channel_mgmt.c, vmbus_initiate_unload(): not sent to hosts before 3.0. */
  unload: { type: 16, since: VMBUS_VERSIONS['3.0'], from: 'guest', size: 8, fields: {} },
  unloadResponse: { type: 17, since: VMBUS_VERSIONS['3.0'], from: 'host', size: 8, fields: {} },
  /** struct vmbus_channel_modifychannel. drivers/hv/vmbus_drv.c, target_cpu_store(): from 4.1 on. */
  modifyChannel: {
    type: 22,
    since: VMBUS_VERSIONS['4.1'],
    from: 'guest',
    size: 16,
    fields: { childRelid: u32(8), targetVp: u32(12) },
  },
  /** struct vmbus_channel_modifychannel_response. */
  modifyChannelResponse: {
    type: 24,
    since: VMBUS_VERSIONS['5.3'],
    from: 'host',
    size: 16,
    fields: { childRelid: u32(8), status: u32(12) },
  },
} as const satisfies Table;

export type VmbusMessage = MessageOf<typeof VMBUS_MESSAGES>;

/** A message is as long as its SynIC payload says: there is no padding. */
export const VMBUS = tableProtocol(VMBUS_MESSAGES, { name: 'vmbus', padding: 0 });

/** Interrupt source and trust level for messages, as protocol 5.0 and later pack them where the page address was. */
export const messageTarget = {
  pack: (sint: number, vtl: number): bigint => BigInt(vtl * 0x100 + sint),
  unpack: (interruptPage: bigint): { readonly sint: number; readonly vtl: number } => ({
    sint: Number(interruptPage & 0xffn),
    vtl: Number((interruptPage >> 8n) & 0xffn),
  }),
} as const;
