import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Field } from '../../src/wire/layout.ts';
import { isMalformed, type Malformed, type Protocol, type Table } from '../../src/wire/message.ts';
import { NVSP, NVSP_COMPLETION, NVSP_COMPLETION_MESSAGES, NVSP_MESSAGES } from '../../src/wire/nvsp.ts';
import { PageList } from '../../src/wire/page-list.ts';
import { RNDIS, RNDIS_CONTROL_MESSAGES } from '../../src/wire/rndis.ts';
import { VMBUS, VMBUS_MESSAGES } from '../../src/wire/vmbus.ts';
import { VPCI, VPCI_MESSAGES } from '../../src/wire/vpci.ts';
import { type AnyMessage, bytesArbitrary, damaged, nearlyMessage, rowArbitrary } from './arbitrary.ts';

/** What holds for every row of every table. A protocol of any message is one of no particular message here. */
type AnyProtocol = Pick<Protocol<AnyMessage>, 'name' | 'size' | 'encode' | 'decode'>;
interface Subject {
  readonly protocol: AnyProtocol;
  readonly table: Table;
  /** Bytes that a ring may add. */
  readonly padding: number;
}

const subjects: readonly Subject[] = [
  { protocol: VMBUS as AnyProtocol, table: VMBUS_MESSAGES, padding: 0 },
  { protocol: NVSP as AnyProtocol, table: NVSP_MESSAGES, padding: 7 },
  { protocol: NVSP_COMPLETION as AnyProtocol, table: NVSP_COMPLETION_MESSAGES, padding: 7 },
  { protocol: RNDIS as AnyProtocol, table: RNDIS_CONTROL_MESSAGES, padding: 7 },
  { protocol: VPCI as AnyProtocol, table: VPCI_MESSAGES, padding: 7 },
];

const rows = subjects.flatMap(({ protocol, table, padding }) =>
  Object.entries(table).map(([name, row]) => ({ protocol, table, padding, name, row })),
);

const expectMessage = (value: AnyMessage | Malformed): AnyMessage => {
  expect(
    isMalformed(value),
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part)),
  ).toBe(false);
  return value;
};

describe.each(rows)('$protocol.name $name', ({ protocol, padding, name, row }) => {
  const message = rowArbitrary(name, row);

  test('survives a round trip, padded or not, and is as long as it says', () => {
    fc.assert(
      fc.property(message, fc.nat({ max: padding }), (sent, extra) => {
        const bytes = protocol.encode(sent);
        expect(bytes.length).toBe(protocol.size(sent));
        const received = new Uint8Array(bytes.length + extra);
        received.set(bytes);
        expect(expectMessage(protocol.decode(received))).toEqual(sent);
      }),
    );
  });

  test('cut anywhere it is malformed, or a message of exactly the bytes that are left', () => {
    fc.assert(
      fc.property(message, fc.nat(), (sent, at) => {
        const bytes = protocol.encode(sent);
        const cut = bytes.subarray(0, at % bytes.length);
        const received = protocol.decode(cut);
        if (isMalformed(received)) expect(received.size).toBe(cut.length);
        else expect(protocol.encode(received).subarray(0, cut.length)).toEqual(cut);
      }),
    );
  });

  test('damaged anywhere it is read or refused, but nothing is thrown', () => {
    fc.assert(
      fc.property(damaged(message.map((sent) => protocol.encode(sent))), (bytes) => {
        expect(typeof protocol.decode(bytes).name).toBe('string');
      }),
    );
  });

  test('no two fields share a byte, and all lie within the size', () => {
    const taken = new Map<number, string>();
    for (const [key, field] of Object.entries(row.fields) as [string, Field<unknown>][]) {
      if (field.kind === 'bit') continue;
      expect(field.at + field.width, key).toBeLessThanOrEqual(row.size);
      for (let at = field.at; at < field.at + field.width; at++) {
        expect(taken.get(at), `${key} at ${at}`).toBeUndefined();
        taken.set(at, key);
      }
    }
  });
});

describe.each(subjects)('$protocol.name', ({ protocol, table }) => {
  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.oneof(bytesArbitrary(0, 300), nearlyMessage(table)), (bytes) => {
        expect(typeof protocol.decode(bytes).name).toBe('string');
      }),
      { numRuns: 1000 },
    );
  });

  test('a number that no row has is unknown', () => {
    expect(protocol.decode(Uint8Array.of(0xee, 0xee, 0xee, 0xee, 8, 0, 0, 0))).toMatchObject({
      name: 'malformed',
      protocol: protocol.name,
      problem: 'unknown',
      type: 0xeeee_eeee,
    });
  });

  test('fewer bytes than a number has are short', () => {
    expect(protocol.decode(Uint8Array.of(1))).toMatchObject({ problem: 'short', type: undefined, size: 1 });
  });
});

/** sizeof() of the structures, from reference C.10; incoming vPCI structures less their 16-byte descriptor. */
const SIZES = {
  vmbus: {
    offerChannel: 196,
    rescindChannelOffer: 12,
    openChannel: 148,
    openChannelResult: 20,
    closeChannel: 12,
    gpadlHeader: 28,
    gpadlBody: 16,
    gpadlCreated: 20,
    gpadlTeardown: 16,
    gpadlTorndown: 12,
    relidReleased: 12,
    initiateContact: 40,
    versionResponse: 16,
    requestOffers: 8,
    allOffersDelivered: 8,
    unload: 8,
    unloadResponse: 8,
    modifyChannel: 16,
    modifyChannelResponse: 16,
  },
  /** Without the four bytes of the header: struct nvsp_*. */
  nvsp: {
    init: 8,
    initComplete: 12,
    sendNdisVersion: 8,
    sendReceiveBuffer: 6,
    sendReceiveBufferComplete: 24,
    revokeReceiveBuffer: 2,
    sendSendBuffer: 6,
    sendSendBufferComplete: 8,
    revokeSendBuffer: 2,
    sendRndisPacket: 12,
    sendRndisPacketComplete: 4,
    sendNdisConfig: 16,
    sendVfAssociation: 8,
    switchDataPath: 4,
    subchannelRequest: 8,
    sendIndirectionTable: 36,
  },
  /** Without the eight bytes of the header: struct rndis_*. */
  rndis: {
    initialize: 16,
    initializeComplete: 44,
    halt: 4,
    query: 20,
    queryComplete: 16,
    set: 20,
    setComplete: 8,
    reset: 4,
    resetComplete: 8,
    indicateStatus: 12,
    keepalive: 4,
    keepaliveComplete: 8,
  },
  vpci: {
    busRelations: 24 - 16,
    busRelations2: 24 - 16,
    queryBusRelations: 4,
    powerStateChange: 16,
    queryResourceRequirements: 8,
    busD0Entry: 16,
    busD0Exit: 4,
    readBlock: 16,
    writeBlock: 144 - 128,
    eject: 24 - 16,
    ejectionComplete: 12,
    resourcesAssigned: 148,
    resourcesAssigned2: 202,
    resourcesReleased: 8,
    invalidateBlock: 32 - 16,
    queryProtocolVersion: 8,
    createInterrupt: 24,
    createInterrupt2: 78,
    createInterrupt3: 82,
    deleteInterrupt: 24,
  },
};

test('fixed parts are as long as the C structures', () => {
  const sizes = (table: Table, header: number) =>
    Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.size - header]));
  expect(sizes(VMBUS_MESSAGES, 0)).toEqual(SIZES.vmbus);
  expect(sizes(NVSP_MESSAGES, 4)).toEqual(SIZES.nvsp);
  expect(sizes(RNDIS_CONTROL_MESSAGES, 8)).toEqual(SIZES.rndis);
  expect(sizes(VPCI_MESSAGES, 0)).toEqual(SIZES.vpci);
});

describe('encoders refuse what does not fit', () => {
  const good = { name: 'switchDataPath', activeDataPath: 1 } as const;

  test.each([-1, 0x1_0000_0000, 1.5, Number.NaN])('activeDataPath %s', (activeDataPath) => {
    expect(() => NVSP.encode({ ...good, activeDataPath })).toThrow('does not fit u32 at 4');
  });

  test('a missing field, a row that is not there, too many list elements', () => {
    expect(() => NVSP.encode({ name: 'switchDataPath' } as never)).toThrow('activeDataPath is missing');
    expect(() => NVSP.encode({ name: 'nothing' } as never)).toThrow('nvsp nothing');
    const body = { name: 'gpadlBody', messageNumber: 0, gpadl: 1 } as const;
    expect(() => VMBUS.encode({ ...body, pfns: PageList.ofRun(1, 29) })).toThrow('at most 28');
    expect(() => VMBUS.encode({ ...body, pfns: PageList.of([2 ** 52]) })).toThrow('does not fit pfn');
  });
});

describe('lengths', () => {
  test('a VMBus message with a byte too many is overlong; there is no padding', () => {
    expect(VMBUS.decode(Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({ problem: 'overlong', expected: 8 });
  });

  test('NVSP messages have 40 bytes, 28 are enough for those that fit, 48 are too many', () => {
    const bytes = NVSP.encode({ name: 'init', minVersion: 2, maxVersion: 2 });
    expect(bytes.length).toBe(40);
    expect(NVSP.decode(bytes.subarray(0, 28))).toEqual({ name: 'init', minVersion: 2, maxVersion: 2 });
    expect(NVSP.decode(Uint8Array.of(...bytes, 0, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({ problem: 'overlong' });
  });

  test('a list that claims more than there is is short, one that claims too much is invalid', () => {
    const relations = (count: number): Uint8Array => Uint8Array.of(0, 0, 0x49, 0x42, count, count, 0, 0);
    expect(VPCI.decode(relations(1))).toMatchObject({ problem: 'invalid' });
    expect(VPCI.decode(Uint8Array.of(0, 0, 0x49, 0x42, 2, 0, 0, 0))).toMatchObject({ problem: 'short', expected: 48 });
  });

  test('EJECTION_COMPLETE is read with and without its status', () => {
    const bytes = VPCI.encode({ name: 'ejectionComplete', slot: 0x20, status: 0 });
    expect(bytes.length).toBe(12);
    expect(VPCI.decode(bytes.subarray(0, 8))).toEqual({ name: 'ejectionComplete', slot: 0x20, status: 0 });
  });

  test('WRITE_BLOCK may have the four bytes more that Linux sends', () => {
    const message = { name: 'writeBlock', blockId: 1, slot: 0, bytes: Uint8Array.of(1, 2, 3, 4) } as const;
    const sent = new Uint8Array(24);
    sent.set(VPCI.encode(message));
    expect(VPCI.decode(sent)).toEqual(message);
  });

  test('an RNDIS indication may keep its buffer out of its length, as Hyper-V does', () => {
    const info = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const bytes = RNDIS.encode({ name: 'indicateStatus', status: 0x4001_0013, info });
    new DataView(bytes.buffer).setUint32(4, 20, true);
    expect(RNDIS.decode(bytes)).toEqual({ name: 'indicateStatus', status: 0x4001_0013, info });
  });
});
