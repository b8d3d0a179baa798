import fc, { type Arbitrary } from 'fast-check';
import type { Guid } from '../../src/base/guid.ts';
import type { Field, Layout } from '../../src/wire/layout.ts';
import type { Row, Table } from '../../src/wire/message.ts';
import { PageList } from '../../src/wire/page-list.ts';

/** Values for a table's rows, made from the rows: what a test says of one message it says of all. */
export type AnyMessage = { readonly name: string };

export const bytesArbitrary = (min: number, max: number): Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: min, maxLength: max });

const guidArbitrary = fc.uuid().map((text) => text.toLowerCase() as Guid);

function fieldArbitrary(field: Field<unknown>): Arbitrary<unknown> {
  switch (field.kind) {
    case 'u8':
      return fc.integer({ min: 0, max: 0xff });
    case 'u16':
      return fc.integer({ min: 0, max: 0xffff });
    case 'u32':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case 'u64':
      return fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
    case 'pfn':
      return fc.maxSafeNat().map((value) => value % 2 ** 52);
    case 'pages':
      return fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: field.max ?? 0 }).map(PageList.of);
    case 'bit':
      return fc.boolean();
    case 'guid':
      return guidArbitrary;
    case 'bytes':
      return bytesArbitrary(field.width, field.width);
    case 'blob':
      return bytesArbitrary(0, Math.min(field.max ?? 0, 128));
    case 'struct':
      return layoutArbitrary(field.fields ?? {});
    case 'list': {
      const max = Math.min(field.max ?? 0, 40);
      const element = field.of === undefined ? fc.constant(0) : fieldArbitrary(field.of);
      return fc.array(element, { minLength: field.exact === true ? max : 0, maxLength: max });
    }
  }
}

export const layoutArbitrary = (layout: Layout): Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(Object.entries(layout).map(([key, field]) => [key, fieldArbitrary(field)])), {
    noNullPrototype: true,
  });

export const rowArbitrary = (name: string, row: Pick<Row, 'fields'>): Arbitrary<AnyMessage> =>
  layoutArbitrary(row.fields).map((fields) => ({ name, ...fields }));

/** Bytes that get past the first check: the number of some row, then anything. */
export const nearlyMessage = (table: Table): Arbitrary<Uint8Array> =>
  fc.tuple(fc.constantFrom(...Object.values(table)), bytesArbitrary(4, 300)).map(([row, bytes]) => {
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, row.type, true);
    return bytes;
  });

/** One message's bytes with some of them changed. */
export const damaged = (bytes: Arbitrary<Uint8Array>): Arbitrary<Uint8Array> =>
  fc
    .tuple(bytes, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 0xff })), { minLength: 1, maxLength: 6 }))
    .map(([whole, changes]) => {
      const copy = Uint8Array.from(whole);
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
      return copy;
    });
