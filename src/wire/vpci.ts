import { blob, bytes, list, struct, u8, u16, u32, u64 } from './layout.ts';
import { type MessageOf, type Table, tableProtocol } from './message.ts';

/**
 * vPCI: how a pass-through PCI function comes to a guest, is powered, gets interrupts and leaves.
 * Source: drivers/pci/controller/pci-hyperv.c, enum pci_message_type and the structures below it; reference C.7.
 * Offsets count from the start of the packet's payload (C.10 counts the 16-byte descriptor of incoming messages too).
 * Leaves out: QUERY_RESOURCE_RESOURCES, the stop and re-enable messages, RESOURCES_ASSIGNED3, DELETE_INTERRUPT2 and
 * what only openvmm names (invalidate, reset, TDISP). Answers are in vpci-completion.ts.
 */

/** pci-hyperv.c, enum pci_protocol_version_t. Newest first: the order in which Linux asks. */
export const VPCI_VERSIONS = { '1.4': 0x10004, '1.3': 0x10003, '1.2': 0x10002, '1.1': 0x10001 } as const;

/** NT status values: the upper bit is a failure. pci-hyperv.c: STATUS_REVISION_MISMATCH. */
export const VPCI_STATUS = { success: 0, unsuccessful: 0xc000_0001, revisionMismatch: 0xc000_0059 } as const;

export const isFailure = (status: number): boolean => status >= 0x8000_0000;

export const BARS = 6;
/** include/linux/hyperv.h: HV_CONFIG_BLOCK_SIZE_MAX. */
export const CONFIG_BLOCK_MAX = 128;
/** The count of a BUS_RELATIONS has 32 bits; a bus has 256 functions. */
const FUNCTIONS_MAX = 256;
const PROCESSORS_MAX = 32;

/** pci-hyperv.c, union win_slot_encoding: five bits of device, three of function. */
export const slotOf = (device: number, fn = 0): number => (device & 0x1f) | ((fn & 0x7) << 5);
export const slotDevice = (slot: number): number => slot & 0x1f;
export const slotFunction = (slot: number): number => (slot >>> 5) & 0x7;

const functionFields = {
  vendor: u16(0),
  device: u16(2),
  revision: u8(4),
  progIf: u8(5),
  subclass: u8(6),
  baseClass: u8(7),
  subsystem: u32(8),
  slot: u32(12),
  /** What the NIC's VF association names. */
  serial: u32(16),
} as const;

/** struct tran_int_desc: an interrupt as the host has translated it. */
export const translatedInterrupt = { vectorCount: u16(2), data: u32(4), address: u64(8) } as const;

const processors = (countAt: number) =>
  list(countAt + 2, { of: u16(0), max: PROCESSORS_MAX, count: u16(countAt), inside: true });

const BASE = 0x4249_0000;
const V11 = VPCI_VERSIONS['1.1'];
const V12 = VPCI_VERSIONS['1.2'];
const V13 = VPCI_VERSIONS['1.3'];
const V14 = VPCI_VERSIONS['1.4'];

export const VPCI_MESSAGES = {
  /** struct pci_bus_relations: everything that is on the bus now, so an empty list means that all has gone. */
  busRelations: {
    type: BASE + 0x00,
    since: V11,
    from: 'host',
    size: 8,
    fields: { functions: list(8, { of: struct(0, 20, functionFields), max: FUNCTIONS_MAX, count: u32(4) }) },
  },
  /** Answered by a BUS_RELATIONS, not by a completion. */
  queryBusRelations: { type: BASE + 0x01, since: V11, from: 'guest', size: 4, fields: {} },
  /** struct pci_set_power. */
  powerStateChange: {
    type: BASE + 0x04,
    since: V11,
    from: 'guest',
    size: 16,
    fields: { slot: u32(4), powerState: u32(8) },
  },
  queryResourceRequirements: { type: BASE + 0x05, since: V11, from: 'guest', size: 8, fields: { slot: u32(4) } },
  /** struct pci_bus_d0_entry. */
  busD0Entry: { type: BASE + 0x07, since: V11, from: 'guest', size: 16, fields: { mmioBase: u64(8) } },
  busD0Exit: { type: BASE + 0x08, since: V11, from: 'guest', size: 4, fields: {} },
  /** struct pci_read_block. */
  readBlock: {
    type: BASE + 0x09,
    since: V11,
    from: 'guest',
    size: 16,
    fields: { blockId: u32(4), slot: u32(8), bytesRequested: u32(12) },
  },
  /**
   * struct pci_write_block, cut after the bytes in use. Linux sends four bytes more than that, for hosts of 2018
   * (pci-hyperv.c, hv_write_config_block()), so `reserved` may follow.
   */
  writeBlock: {
    type: BASE + 0x0a,
    since: V11,
    from: 'guest',
    size: 16,
    fields: { blockId: u32(4), slot: u32(8), bytes: blob(16, { max: CONFIG_BLOCK_MAX, length: u32(12) }) },
    trailing: 4,
  },
  /** struct pci_dev_incoming. */
  eject: { type: BASE + 0x0b, since: V11, from: 'host', size: 8, fields: { slot: u32(4) } },
  /** struct pci_eject_response, which has a status word behind the slot. The 8 bytes of reference C.7 are read too. */
  ejectionComplete: {
    type: BASE + 0x0f,
    since: V11,
    from: 'guest',
    size: 12,
    sizeMin: 8,
    fields: { slot: u32(4), status: u32(8) },
  },
  /** struct pci_resources_assigned. Linux leaves the ranges and descriptors zero. */
  resourcesAssigned: {
    type: BASE + 0x10,
    since: V11,
    from: 'guest',
    size: 148,
    fields: { slot: u32(4), memoryRanges: bytes(8, 120), msiDescriptors: u32(128) },
  },
  resourcesReleased: { type: BASE + 0x11, since: V11, from: 'guest', size: 8, fields: { slot: u32(4) } },
  /** struct pci_dev_inval_block. */
  invalidateBlock: {
    type: BASE + 0x12,
    since: V11,
    from: 'host',
    size: 16,
    fields: { slot: u32(4), blockMask: u64(8) },
  },
  /** struct pci_version_request. */
  queryProtocolVersion: { type: BASE + 0x13, since: V11, from: 'guest', size: 8, fields: { version: u32(4) } },
  /** struct pci_create_interrupt with struct hv_msi_desc. */
  createInterrupt: {
    type: BASE + 0x14,
    since: V11,
    from: 'guest',
    size: 24,
    fields: { slot: u32(4), vector: u8(8), deliveryMode: u8(9), vectorCount: u16(10), cpuMask: u64(16) },
  },
  /** struct pci_delete_interrupt. */
  deleteInterrupt: {
    type: BASE + 0x15,
    since: V11,
    from: 'guest',
    size: 24,
    fields: { slot: u32(4), interrupt: struct(8, 16, translatedInterrupt) },
  },
  /** struct pci_resources_assigned2. */
  resourcesAssigned2: {
    type: BASE + 0x16,
    since: V12,
    from: 'guest',
    size: 202,
    fields: { slot: u32(4), memoryRanges: bytes(8, 120), msiDescriptors: u32(128) },
  },
  /** struct pci_create_interrupt2 with struct hv_msi_desc2. */
  createInterrupt2: {
    type: BASE + 0x17,
    since: V12,
    from: 'guest',
    size: 78,
    fields: { slot: u32(4), vector: u8(8), deliveryMode: u8(9), vectorCount: u16(10), processors: processors(12) },
  },
  /** struct pci_bus_relations2. */
  busRelations2: {
    type: BASE + 0x19,
    since: V13,
    from: 'host',
    size: 8,
    fields: {
      functions: list(8, {
        of: struct(0, 28, { ...functionFields, flags: u32(20), numaNode: u16(24) }),
        max: FUNCTIONS_MAX,
        count: u32(4),
      }),
    },
  },
  /** struct pci_create_interrupt3 with struct hv_msi_desc3. */
  createInterrupt3: {
    type: BASE + 0x1b,
    since: V14,
    from: 'guest',
    size: 82,
    fields: { slot: u32(4), vector: u32(8), deliveryMode: u8(12), vectorCount: u16(14), processors: processors(16) },
  },
} as const satisfies Table;

export type VpciMessage = MessageOf<typeof VPCI_MESSAGES>;

/** One function of a bus, as BUS_RELATIONS2 describes it. */
export type VpciFunction = Extract<VpciMessage, { name: 'busRelations2' }>['functions'][number];

export const VPCI = tableProtocol(VPCI_MESSAGES, { name: 'vpci', padding: 7 });
