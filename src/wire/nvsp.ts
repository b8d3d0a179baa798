import { list, u16, u32 } from './layout.ts';
import { type MessageOf, type Table, tableProtocol } from './message.ts';

/**
 * NVSP, the protocol of the synthetic NIC's channel: buffers, capabilities, VF association, data path, sub-channels.
 * Source: drivers/net/hyperv/hyperv_net.h, struct nvsp_message and what is in it; reference C.5 and C.10.
 * Leaves out: chimney, VMQ, receive-buffer allocation (109 to 124, 126, 127), uplink state (130), OID queries (131,
 * 132) and packet direct (135, 136): no driver here sends them.
 */

/** hyperv_net.h, NVSP_PROTOCOL_VERSION_*. Newest first: the order in which Linux asks. */
export const NVSP_VERSIONS = {
  '6.1': 0x60001,
  '6': 0x60000,
  '5': 0x50000,
  '4': 0x40000,
  '2': 0x30002,
  '1': 0x2,
} as const;

/** hyperv_net.h, NVSP_STAT_*. */
export const NVSP_STATUS = {
  none: 0,
  success: 1,
  fail: 2,
  protocolTooNew: 3,
  protocolTooOld: 4,
  invalidRndisPacket: 5,
  busy: 6,
  protocolUnsupported: 7,
} as const;

/** hyperv_net.h, struct nvsp_2_vsc_capability: bits of `capabilities`. Without `sriov` no host offers a VF. */
export const NVSP_CAPABILITIES = {
  vmq: 0x01,
  chimney: 0x02,
  sriov: 0x04,
  ieee8021q: 0x08,
  correlationId: 0x10,
  teaming: 0x20,
  vsubnetId: 0x40,
  rsc: 0x80,
} as const;

export const DATA_PATH = { synthetic: 0, vf: 1 } as const;

/** reference C.5: channel type of SEND_RNDIS_PACKET. */
export const RNDIS_CHANNEL = { data: 0, control: 1 } as const;

/** hyperv_net.h: NETVSC_RECEIVE_BUFFER_ID, NETVSC_SEND_BUFFER_ID, NETVSC_INVALID_INDEX, VRSS_SEND_TAB_SIZE. */
export const RECEIVE_BUFFER_ID = 0xcafe;
export const SEND_BUFFER_ID = 0;
export const NO_SEND_SECTION = 0xffff_ffff;

/** sizeof(struct nvsp_message): Linux always sends all of it; hosts were seen to take 28 bytes (openvmm). */
export const NVSP_MESSAGE_SIZE = 40;

const V1 = NVSP_VERSIONS['1'];
const V4 = NVSP_VERSIONS['4'];
const V5 = NVSP_VERSIONS['5'];

/** What completion packets carry, and nothing else does but for these numbers in the common table. */
const COMPLETIONS = {
  /** struct nvsp_message_init_complete. Any status but success refuses the version. */
  initComplete: {
    type: 2,
    since: V1,
    from: 'host',
    size: 16,
    fields: { version: u32(4), maxMdlChain: u32(8), status: u32(12) },
  },
  /** struct nvsp_1_message_send_receive_buffer_complete with its one section. */
  sendReceiveBufferComplete: {
    type: 102,
    since: V1,
    from: 'host',
    size: 28,
    fields: {
      status: u32(4),
      sectionCount: u32(8),
      sectionOffset: u32(12),
      subAllocSize: u32(16),
      subAllocCount: u32(20),
      endOffset: u32(24),
    },
  },
  /** struct nvsp_1_message_send_send_buffer_complete. */
  sendSendBufferComplete: {
    type: 105,
    since: V1,
    from: 'host',
    size: 12,
    fields: { status: u32(4), sectionSize: u32(8) },
  },
  /** struct nvsp_1_message_send_rndis_packet_complete. */
  sendRndisPacketComplete: { type: 108, since: V1, from: 'both', size: 8, fields: { status: u32(4) } },
} as const satisfies Table;

export const NVSP_MESSAGES = {
  ...COMPLETIONS,
  /** struct nvsp_message_init. */
  init: { type: 1, since: V1, from: 'guest', size: 12, fields: { minVersion: u32(4), maxVersion: u32(8) } },
  /** struct nvsp_1_message_send_ndis_version. */
  sendNdisVersion: { type: 100, since: V1, from: 'guest', size: 12, fields: { major: u32(4), minor: u32(8) } },
  /** struct nvsp_1_message_send_receive_buffer. */
  sendReceiveBuffer: { type: 101, since: V1, from: 'guest', size: 10, fields: { gpadl: u32(4), id: u16(8) } },
  revokeReceiveBuffer: { type: 103, since: V1, from: 'guest', size: 6, fields: { id: u16(4) } },
  /** struct nvsp_1_message_send_send_buffer. */
  sendSendBuffer: { type: 104, since: V1, from: 'guest', size: 10, fields: { gpadl: u32(4), id: u16(8) } },
  revokeSendBuffer: { type: 106, since: V1, from: 'guest', size: 6, fields: { id: u16(4) } },
  /** struct nvsp_1_message_send_rndis_packet. */
  sendRndisPacket: {
    type: 107,
    since: V1,
    from: 'both',
    size: 16,
    fields: { channelType: u32(4), sendSectionIndex: u32(8), sendSectionSize: u32(12) },
  },
  /** struct nvsp_2_send_ndis_config. The capability word has 64 bits; the upper half is reserved. */
  sendNdisConfig: {
    type: 125,
    since: NVSP_VERSIONS['2'],
    from: 'guest',
    size: 20,
    fields: { mtu: u32(4), capabilities: u32(12) },
  },
  /** struct nvsp_4_send_vf_association. */
  sendVfAssociation: { type: 128, since: V4, from: 'host', size: 12, fields: { allocated: u32(4), serial: u32(8) } },
  /** struct nvsp_4_sw_datapath. Linux ignores the one that a host sends. */
  switchDataPath: { type: 129, since: V4, from: 'both', size: 8, fields: { activeDataPath: u32(4) } },
  /** struct nvsp_5_subchannel_request; the answer has the same number, in NVSP_COMPLETION_MESSAGES. */
  subchannelRequest: { type: 133, since: V5, from: 'guest', size: 12, fields: { op: u32(4), count: u32(8) } },
  /**
   * struct nvsp_5_send_indirect_table. Entries stand behind the 40 bytes; `offset` is what the host says of it, which
   * up to version 6 was wrong, and Linux then looks at 40 (drivers/net/hyperv/netvsc.c, netvsc_send_table()).
   */
  sendIndirectionTable: {
    type: 134,
    since: V5,
    from: 'host',
    size: NVSP_MESSAGE_SIZE,
    fields: { offset: u32(8), entries: list(NVSP_MESSAGE_SIZE, { of: u32(0), count: u32(4), max: 128 }) },
  },
} as const satisfies Table;

export const NVSP_COMPLETION_MESSAGES = {
  ...COMPLETIONS,
  /** struct nvsp_5_subchannel_complete. */
  subchannelComplete: { type: 133, since: V5, from: 'host', size: 12, fields: { status: u32(4), count: u32(8) } },
} as const satisfies Table;

export type NvspMessage = MessageOf<typeof NVSP_MESSAGES>;
export type NvspCompletion = MessageOf<typeof NVSP_COMPLETION_MESSAGES>;

/** Packets: every number but the sub-channel answer, which shares the request's. */
export const NVSP = tableProtocol(NVSP_MESSAGES, { name: 'nvsp', sizeFloor: NVSP_MESSAGE_SIZE, padding: 7 });

/** Payloads of completion packets. That of SWITCH_DATA_PATH is empty, and is not read with this. */
export const NVSP_COMPLETION = tableProtocol(NVSP_COMPLETION_MESSAGES, {
  name: 'nvsp completion',
  sizeFloor: NVSP_MESSAGE_SIZE,
  padding: 7,
});
