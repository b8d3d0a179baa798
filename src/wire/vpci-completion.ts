import { assert } from '../base/assert.ts';
import {
  array,
  blob,
  type Decoded,
  endsOf,
  type FieldEnds,
  type FieldList,
  fieldList,
  getU32,
  type Layout,
  readFields,
  sizeOfFields,
  sourceOf,
  struct,
  u32,
  writeFields,
} from './layout.ts';
import { type Malformed, malformed, padded } from './message.ts';
import { BARS, CONFIG_BLOCK_MAX, isFailure, translatedInterrupt, type VpciMessage } from './vpci.ts';

/**
 * What completion packets of vPCI carry. They have no number: the request that a transaction id belongs to says what
 * they are, so both functions take its name.
 * Source: drivers/pci/controller/pci-hyperv.c, struct pci_response and the structures that begin with it, less their
 * 16-byte descriptor.
 * Leaves out: requests without an answer (RESOURCES_RELEASED, DELETE_INTERRUPT, EJECTION_COMPLETE).
 */
interface CompletionRow {
  readonly size: number;
  readonly fields: Layout;
}

const statusOnly = { size: 4, fields: { status: u32(0) } } as const;
/** struct pci_create_int_response. */
const interrupt = {
  size: 24,
  fields: { status: u32(0), interrupt: struct(8, 16, translatedInterrupt) },
} as const;

export const VPCI_COMPLETIONS = {
  /** openvmm sends the version back; Linux reads the status alone. */
  queryProtocolVersion: { size: 8, fields: { status: u32(0), version: u32(4) } },
  /** struct pci_q_res_req_response: what a BAR reads after all ones were written to it. */
  queryResourceRequirements: { size: 28, fields: { status: u32(0), probedBars: array(4, BARS, u32(0)) } },
  busD0Entry: statusOnly,
  busD0Exit: statusOnly,
  resourcesAssigned: statusOnly,
  resourcesAssigned2: statusOnly,
  /** struct pci_set_power_response. */
  powerStateChange: { size: 16, fields: { status: u32(0), slot: u32(4), resultantState: u32(8) } },
  createInterrupt: interrupt,
  createInterrupt2: interrupt,
  createInterrupt3: interrupt,
  /** struct pci_read_block_response. From a ring the bytes come padded to 8: the request says how many were asked for. */
  readBlock: { size: 4, fields: { status: u32(0), bytes: blob(4, { max: CONFIG_BLOCK_MAX + 4 }) } },
  writeBlock: statusOnly,
} as const satisfies Partial<Record<VpciMessage['name'], CompletionRow>>;

export type VpciCompletionName = keyof typeof VPCI_COMPLETIONS;

/** The answer to a request, named after it. */
export type VpciCompletion<N extends VpciCompletionName = VpciCompletionName> = {
  [K in VpciCompletionName]: { readonly name: K } & Decoded<(typeof VPCI_COMPLETIONS)[K]['fields']>;
}[N];

const PROTOCOL = 'vpci completion';
const PADDING = 7;

const fieldLists: ReadonlyMap<string, FieldList> = new Map(
  Object.entries(VPCI_COMPLETIONS).map(([name, row]) => [name, fieldList(row.fields)]),
);
const fieldsOf = (of: VpciCompletionName): FieldList => fieldLists.get(of) ?? [];
const fieldEnds: ReadonlyMap<string, FieldEnds> = new Map(
  Object.entries(VPCI_COMPLETIONS).map(([name, row]) => [name, endsOf(row.fields)]),
);
const sizeWith = (of: VpciCompletionName, value: Readonly<Record<string, unknown>>): number =>
  sizeOfFields(fieldEnds.get(of) ?? [], VPCI_COMPLETIONS[of].size, value);

export function vpciCompletionSize<N extends VpciCompletionName>(of: N, value: VpciCompletion<N>): number {
  return sizeWith(of, value);
}

export function encodeVpciCompletion<N extends VpciCompletionName>(of: N, value: VpciCompletion<N>): Uint8Array {
  assert(value.name === of, `a completion of ${value.name} stands for one of ${of}`);
  const bytes = new Uint8Array(vpciCompletionSize(of, value));
  writeFields(fieldsOf(of), { bytes }, 0, value);
  return bytes;
}

/** A failure may end after its status; the rest reads as zero then. */
export function decodeVpciCompletion<N extends VpciCompletionName>(
  of: N,
  bytes: Uint8Array,
): VpciCompletion<N> | Malformed {
  const { size } = VPCI_COMPLETIONS[of];
  const failed = bytes.length >= 4 && isFailure(getU32(bytes, 0));
  if (bytes.length < size && !failed) return malformed(PROTOCOL, bytes, 'short', { expected: size, what: of });
  const source = sourceOf(bytes.length < size ? padded(bytes, size) : bytes);
  const out: Record<string, unknown> = { name: of };
  readFields(fieldsOf(of), source, 0, out);
  if (source.problem !== undefined) return { ...malformed(PROTOCOL, bytes, 'invalid'), ...source.problem };
  const expected = sizeWith(of, out);
  if (bytes.length > expected + PADDING) return malformed(PROTOCOL, bytes, 'overlong', { expected, what: of });
  return out as VpciCompletion<N>;
}
