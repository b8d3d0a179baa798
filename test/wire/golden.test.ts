import { describe, expect, test } from 'vitest';
import { guid } from '../../src/base/guid.ts';
import { NVSP, NVSP_COMPLETION, type NvspCompletion, type NvspMessage } from '../../src/wire/nvsp.ts';
import { PageList } from '../../src/wire/page-list.ts';
import { RNDIS, type RndisMessage } from '../../src/wire/rndis.ts';
import { VMBUS, type VmbusMessage } from '../../src/wire/vmbus.ts';
import { VPCI, type VpciMessage } from '../../src/wire/vpci.ts';

/**
 * Bytes written by hand from the offsets of reference C.10, a word or field at a time, so that a slip in a table is
 * not repeated in its test.
 */
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s+/g, ''), 'hex'));
const zeros = (count: number): string => '00'.repeat(count);
const block = (count: number, first: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => first + i);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const vmbus: readonly (readonly [VmbusMessage, string])[] = [
  [
    {
      name: 'offerChannel',
      interfaceType: guid('f8615163-df3e-46c5-913f-f2d2f965ed0e'),
      interfaceInstance: guid('00112233-4455-6677-8899-aabbccddeeff'),
      channelFlags: 0x0201,
      mmioMegabytes: 8,
      userDefined: block(120, 1),
      subChannelIndex: 2,
      childRelid: 11,
      monitorId: 0xff,
      monitorAllocated: true,
      isDedicatedInterrupt: true,
      connectionId: 0x2000b,
    },
    `01000000 00000000 635161f8 3edf c546 913f f2d2f965ed0e 33221100 5544 7766 8899 aabbccddeeff ${zeros(16)}
     0102 0800 ${text(block(120, 1))} 0200 0000 0b000000 ff 01 0100 0b000200`,
  ],
  [{ name: 'rescindChannelOffer', childRelid: 11 }, '02000000 00000000 0b000000'],
  [{ name: 'requestOffers' }, '03000000 00000000'],
  [
    {
      name: 'openChannel',
      childRelid: 11,
      openId: 12,
      ringGpadl: 0xe1e10,
      targetVp: 1,
      downstreamPageOffset: 32,
      userData: block(120, 2),
    },
    `05000000 00000000 0b000000 0c000000 101e0e00 01000000 20000000 ${text(block(120, 2))}`,
  ],
  [
    { name: 'openChannelResult', childRelid: 11, openId: 12, status: 0xc000_000d },
    '06000000 00000000 0b000000 0c000000 0d0000c0',
  ],
  [
    {
      name: 'gpadlHeader',
      childRelid: 11,
      gpadl: 0xe1e10,
      rangeBuflen: 24,
      rangeCount: 1,
      byteCount: 0x2000,
      byteOffset: 0,
      pfns: PageList.of([0x12345, 0x1_0000_0001]),
    },
    `08000000 00000000 0b000000 101e0e00 1800 0100 00200000 00000000 4523010000000000 0100000001000000`,
  ],
  [
    { name: 'gpadlBody', messageNumber: 1, gpadl: 0xe1e10, pfns: PageList.of([7]) },
    '09000000 00000000 01000000 101e0e00 0700000000000000',
  ],
  [{ name: 'gpadlTorndown', gpadl: 0xe1e10 }, '0c000000 00000000 101e0e00'],
  [
    {
      name: 'initiateContact',
      version: 0x50003,
      targetVcpu: 3,
      interruptPage: 0x0002n,
      monitorPage1: 0x1122_3344_5566_7788n,
      monitorPage2: 1n,
    },
    '0e000000 00000000 03000500 03000000 0200000000000000 8877665544332211 0100000000000000',
  ],
  [
    { name: 'versionResponse', supported: 1, connectionState: 2, connectionId: 4 },
    '0f000000 00000000 01 02 0000 04000000',
  ],
  [{ name: 'modifyChannelResponse', childRelid: 11, status: 1 }, '18000000 00000000 0b000000 01000000'],
];

const nvsp: readonly (readonly [NvspMessage, string])[] = [
  [{ name: 'init', minVersion: 0x60001, maxVersion: 0x60001 }, '01000000 01000600 01000600'],
  [{ name: 'sendReceiveBuffer', gpadl: 0xe1e12, id: 0xcafe }, '65000000 121e0e00 feca'],
  [
    { name: 'sendRndisPacket', channelType: 1, sendSectionIndex: 0xffff_ffff, sendSectionSize: 0 },
    '6b000000 01000000 ffffffff 00000000',
  ],
  [{ name: 'sendNdisConfig', mtu: 1514, capabilities: 0x2c }, '7d000000 ea050000 00000000 2c000000 00000000'],
  [{ name: 'sendVfAssociation', allocated: 1, serial: 2 }, '80000000 01000000 02000000'],
  [{ name: 'switchDataPath', activeDataPath: 1 }, '81000000 01000000'],
  [{ name: 'subchannelRequest', op: 1, count: 3 }, '85000000 01000000 03000000'],
  [
    { name: 'sendIndirectionTable', offset: 40, entries: [0, 1] },
    `86000000 02000000 28000000 ${zeros(28)} 00000000 01000000`,
  ],
];

const nvspCompletions: readonly (readonly [NvspCompletion, string])[] = [
  [{ name: 'initComplete', version: 0x60001, maxMdlChain: 34, status: 1 }, '02000000 01000600 22000000 01000000'],
  [
    {
      name: 'sendReceiveBufferComplete',
      status: 1,
      sectionCount: 1,
      sectionOffset: 0,
      subAllocSize: 1728,
      subAllocCount: 9709,
      endOffset: 0xffffc0,
    },
    '66000000 01000000 01000000 00000000 c0060000 ed250000 c0ffff00',
  ],
  [{ name: 'subchannelComplete', status: 1, count: 3 }, '85000000 01000000 03000000'],
];

const rndis: readonly (readonly [RndisMessage, string])[] = [
  [
    { name: 'initialize', requestId: 1, major: 1, minor: 0, maxTransferSize: 0x4000 },
    '02000000 18000000 01000000 01000000 00000000 00400000',
  ],
  [
    { name: 'query', requestId: 2, oid: 0x0101_0101, info: new Uint8Array() },
    '04000000 1c000000 02000000 01010101 00000000 14000000 00000000',
  ],
  [
    { name: 'queryComplete', requestId: 2, status: 0, info: hex('000d3a123456') },
    '04000080 1e000000 02000000 00000000 06000000 10000000 000d3a123456',
  ],
  [
    { name: 'set', requestId: 3, oid: 0x0001_010e, info: hex('0d000000') },
    '05000000 20000000 03000000 0e010100 04000000 14000000 00000000 0d000000',
  ],
  [{ name: 'setComplete', requestId: 3, status: 0xc000_00bb }, '05000080 10000000 03000000 bb0000c0'],
  [{ name: 'reset' }, '06000000 0c000000 00000000'],
  [
    { name: 'indicateStatus', status: 0x4001_000b, info: new Uint8Array() },
    '07000000 14000000 0b000140 00000000 0c000000',
  ],
  [
    { name: 'packet', data: hex('ffffffffffff'), perPacketInfo: [] },
    `01000000 32000000 24000000 06000000 ${zeros(12)} 00000000 00000000 ${zeros(8)} ffffffffffff`,
  ],
  [
    {
      name: 'packet',
      data: hex('aabb'),
      perPacketInfo: [
        { type: 6, internal: false, data: hex('40060000') },
        { type: 1, internal: true, data: hex('01020304') },
      ],
    },
    `01000000 4e000000 44000000 02000000 ${zeros(12)} 24000000 20000000 ${zeros(8)}
     10000000 06000000 0c000000 40060000 10000000 01000080 0c000000 01020304 aabb`,
  ],
];

const vpci: readonly (readonly [VpciMessage, string])[] = [
  [{ name: 'queryProtocolVersion', version: 0x10004 }, '13004942 04000100'],
  [{ name: 'queryBusRelations' }, '01004942'],
  [
    {
      name: 'busRelations2',
      functions: [
        {
          vendor: 0x15b3,
          device: 0x1016,
          revision: 0x80,
          progIf: 0,
          subclass: 0,
          baseClass: 2,
          subsystem: 0x0190_15b3,
          slot: 2,
          serial: 2,
          flags: 1,
          numaNode: 1,
        },
      ],
    },
    '19004942 01000000 b315 1610 80 00 00 02 b3159001 02000000 02000000 01000000 0100 0000',
  ],
  [{ name: 'busD0Entry', mmioBase: 0xf_e000_0000n }, '07004942 00000000 000000e00f000000'],
  [{ name: 'eject', slot: 2 }, '0b004942 02000000'],
  [{ name: 'ejectionComplete', slot: 2, status: 0 }, '0f004942 02000000 00000000'],
  [
    { name: 'createInterrupt', slot: 2, vector: 0x23, deliveryMode: 0, vectorCount: 1, cpuMask: 2n },
    '14004942 02000000 23 00 0100 00000000 0200000000000000',
  ],
  [
    { name: 'createInterrupt2', slot: 2, vector: 0x23, deliveryMode: 0, vectorCount: 1, processors: [1, 3] },
    `17004942 02000000 23 00 0100 0200 0100 0300 ${zeros(60)}`,
  ],
  [
    { name: 'createInterrupt3', slot: 2, vector: 0x23, deliveryMode: 1, vectorCount: 1, processors: [1] },
    `1b004942 02000000 23000000 01 00 0100 0100 0100 ${zeros(62)}`,
  ],
  [{ name: 'invalidateBlock', slot: 2, blockMask: 5n }, '12004942 02000000 0500000000000000'],
];

const pad = (bytes: Uint8Array, size: number): Uint8Array => {
  const out = new Uint8Array(Math.max(size, bytes.length));
  out.set(bytes);
  return out;
};

describe('messages as bytes', () => {
  test.each(vmbus)('vmbus $name', (message, bytes) => {
    expect(text(VMBUS.encode(message))).toBe(text(hex(bytes)));
    expect(VMBUS.decode(hex(bytes))).toEqual(message);
  });

  test.each(nvsp)('nvsp $name', (message, bytes) => {
    expect(text(NVSP.encode(message))).toBe(text(pad(hex(bytes), 40)));
    expect(NVSP.decode(pad(hex(bytes), 40))).toEqual(message);
  });

  test.each(nvspCompletions)('nvsp completion $name', (message, bytes) => {
    expect(text(NVSP_COMPLETION.encode(message))).toBe(text(pad(hex(bytes), 40)));
    expect(NVSP_COMPLETION.decode(hex(bytes))).toEqual(message);
  });

  test.each(rndis)('rndis $name', (message, bytes) => {
    expect(text(RNDIS.encode(message))).toBe(text(hex(bytes)));
    expect(RNDIS.decode(hex(bytes))).toEqual(message);
  });

  test.each(vpci)('vpci $name', (message, bytes) => {
    expect(text(VPCI.encode(message))).toBe(text(hex(bytes)));
    expect(VPCI.decode(hex(bytes))).toEqual(message);
  });
});
