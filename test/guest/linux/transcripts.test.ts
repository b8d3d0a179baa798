import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Difference, differencesOf } from './differences.ts';
import { modelled } from './modelled-registry.ts';
import { formatTranscript, parseTranscript } from './transcript.ts';

/** The modelled registry held against what a real kernel said and showed of the same commands: `fixtures/kernel`. */

const folder = join(import.meta.dirname, '../../../fixtures/kernel');
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));

/** What the models do otherwise than that kernel, each with its reason. */
interface Deviation {
  readonly guest: string;
  readonly reason: string;
  /** By file and command, with its number: lines of the kernel's only (`-`) and of the model's only (`+`). */
  readonly lines: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
const deviations: readonly Deviation[] = parse(readFileSync(join(folder, 'deviations.yaml'), 'utf8'));

const explained = (guest: string, file: string): readonly Difference[] =>
  deviations
    .filter((each) => each.guest === guest)
    .flatMap(({ lines }) => Object.entries(lines[file] ?? {}))
    .map(([command, text]) => ({ command, lines: text.trimEnd().split('\n') }));

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  const real = parseTranscript(text);

  test('is a transcript', () => {
    expect(formatTranscript(real)).toBe(text);
  });

  test.each(['linux-6.1', 'linux-6.12'])('is what %s says and shows, but for what is explained', (guest) => {
    expect(differencesOf(real, modelled(real, guest))).toEqual(explained(guest, file));
  });
});

test('a deviation has a reason, and is of a transcript that there is', () => {
  for (const { reason, lines } of deviations) {
    expect(reason.length).toBeGreaterThan(20);
    expect(files).toEqual(expect.arrayContaining(Object.keys(lines)));
  }
});
