/** The header of a scenario file as a schema: what the loader checks, and what `check --schema` prints for editors. */
import { z } from 'zod';
import { parseMac } from '../base/mac.ts';
import { readDuration } from './placeholder.ts';

const filled = z.string().refine((text) => text.trim() !== '', 'is empty');

const mac = filled
  .superRefine((text, context) => {
    const parsed = parseMac(text);
    if (typeof parsed !== 'string') context.addIssue({ code: 'custom', message: `"${text}" ${parsed.problem}` });
  })
  .describe('Unicast Ethernet address in quotes: "00:0d:3a:12:34:56"');

const duration = filled
  .superRefine((text, context) => {
    const reading = readDuration(text);
    if ('problem' in reading) context.addIssue({ code: 'custom', message: reading.problem });
  })
  .describe('20ms, 1.5s, 2min');

const serialRange = 'must be a whole number from 1 to 4294967295';
const serial = z.int(serialRange).min(1, serialRange).max(0xffff_ffff, serialRange);

const nic = z.strictObject({
  mac,
  vf: filled.optional().describe('Model of the VF that the host has for this NIC'),
  synthetic: filled.optional().describe('Generation of the synthetic NIC (default ws2022)'),
  serial: serial.optional().describe('Serial number in VF_ASSOCIATION (default: 1 for the first NIC, and so on)'),
  pciSerial: serial.optional().describe("Serial number in the VF's PCI description, where the host garbles it"),
});

const race = z.strictObject({
  id: z
    .string()
    .regex(/^(D-\d{2}|G-\d{1,2})$/, 'is no number of a catalogue of races: D-01, or G-3')
    .describe('Number in a catalogue of known races: D-01 of Linux, G-3 of FreeBSD (references D, G)'),
  without: z
    .union([filled, z.array(filled).min(1, 'names no fix')], { error: 'must be a fix, or a list of fixes' })
    .describe('The fix that ended the race, or several: without it, some order breaks what `breaks` names'),
  remedies: z
    .array(filled)
    .min(1, 'names no fix')
    .optional()
    .describe('Cures that were proposed: fixes of which each alone is tried while those of `without` are off'),
  breaks: filled.describe('What fails then: an invariant of `always`, or expectation, deadlock or stuck'),
});

export const HEADER = z.strictObject({
  name: filled
    .refine((text) => !/\p{Cc}/u.test(text.trimEnd()), 'must be one line, without control characters')
    .describe('One line that says what happens'),
  about: filled.describe('A paragraph that says what the scenario shows'),
  guest: filled.optional().describe('Guest profile (default linux-6.12); see netvsim list'),
  nics: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'is no NIC name: lower case, digits and dashes, at most 20'),
      nic,
    )
    .refine((nics) => Object.keys(nics).length > 0, 'is empty: a scenario has at least one NIC'),
  user: z.array(filled).optional().describe('Modelled observers in user mode'),
  modules: z.array(filled).optional().describe('Modules that are loaded before the first step (default: all)'),
  fixes: z
    .record(z.string(), z.enum(['on', 'off']))
    .optional()
    .describe('Fixes that differ from the profile'),
  latency: z.record(z.string(), duration).optional().describe('Rows of the latency table that this run changes'),
  transport: z.enum(['direct', 'bytes']).optional().describe('How messages cross the bus (default bytes)'),
  race: race.optional().describe('A known race: holds in all orders, and without its fix it does not'),
  needs: z.array(filled).optional().describe('What a stage must have to show this'),
  steps: filled.describe('A block of lines: when who what'),
  always: z.array(filled).optional().describe('Invariants that are watched (default: all)'),
});

export type Header = z.infer<typeof HEADER>;

const HEADER_KEYS = Object.keys(HEADER.shape);
const NIC_KEYS = Object.keys(nic.shape);
const RACE_KEYS = Object.keys(race.shape);

/** The keys that a mapping at this place of the file can have. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return HEADER_KEYS;
  if (path.length === 1 && path[0] === 'race') return RACE_KEYS;
  return path.length === 2 && path[0] === 'nics' ? NIC_KEYS : [];
}

/** The JSON Schema of a scenario file. */
export function scenarioSchema(): unknown {
  return { title: 'netvsim scenario', ...z.toJSONSchema(HEADER) };
}
