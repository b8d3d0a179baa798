/**
 * What RNDIS queries, sets and indications are about: object identifiers, status codes and the bits in info buffers.
 * Source: linux/rndis.h (RNDIS_OID_*, RNDIS_STATUS_*) and drivers/net/hyperv/hyperv_net.h (OID_*, NDIS_PACKET_TYPE_*,
 * enum ndis_per_pkt_info_type); reference C.6.
 * Leaves out: offload and RSS structures (struct ndis_offload, ndis_recv_scale_*): what a NIC says there is data of its
 * device model.
 */
export const OID = {
  supportedList: 0x0001_0101,
  maximumFrameSize: 0x0001_0106,
  linkSpeed: 0x0001_0107,
  vendorDescription: 0x0001_010d,
  currentPacketFilter: 0x0001_010e,
  maximumTotalSize: 0x0001_0111,
  mediaConnectStatus: 0x0001_0114,
  receiveScaleCapabilities: 0x0001_0203,
  receiveScaleParameters: 0x0001_0204,
  friendlyName: 0x0002_0216,
  rndisConfigParameter: 0x0001_021b,
  permanentAddress: 0x0101_0101,
  currentAddress: 0x0101_0102,
  multicastList: 0x0101_0103,
  tcpOffloadCurrentConfig: 0xfc01_020b,
  tcpOffloadParameters: 0xfc01_020c,
  tcpOffloadHardwareCapabilities: 0xfc01_020d,
} as const;

export const RNDIS_STATUS = {
  success: 0,
  pending: 0x0000_0103,
  /** Indications. */
  mediaConnect: 0x4001_000b,
  mediaDisconnect: 0x4001_000c,
  linkSpeedChange: 0x4001_0013,
  networkChange: 0x4001_0018,
  /** Refusals. */
  failure: 0xc000_0001,
  notSupported: 0xc000_00bb,
  invalidLength: 0xc001_0014,
  invalidData: 0xc001_0015,
  bufferTooShort: 0xc001_0016,
  invalidOid: 0xc001_0017,
} as const;

/** OID_GEN_MEDIA_CONNECT_STATUS counts the wrong way round. linux/rndis.h: RNDIS_MEDIA_STATE_*. */
export const MEDIA_STATE = { connected: 0, disconnected: 1 } as const;

/** Bits of the packet filter. Linux opens a NIC with directed, all-multicast and broadcast. */
export const PACKET_FILTER = {
  directed: 0x01,
  multicast: 0x02,
  allMulticast: 0x04,
  broadcast: 0x08,
  promiscuous: 0x20,
} as const;
