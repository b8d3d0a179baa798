import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder, netvsim } from '../support/command.ts';

const drill = (...args: readonly string[]) => netvsim(['drill', 'firmware-update', ...args]);

describe('the firmware-update drill', () => {
  test('holds, with a path at every moment of the gap', () => {
    const { exit, out } = drill();
    expect(out).toMatch(/^held: firmware update \(linux-6\.12, 1 x mlx5, eject-first, gap 64 s, once\)/);
    expect(out).toContain('steady after');
    expect(out).toContain('invariants: all held');
    expect(exit).toBe(0);
  });

  test('a surprise costs something, and a budget can refuse it', () => {
    const figures = JSON.parse(drill('--order', 'surprise', '--gap', '5s', '--json').out);
    expect(figures.worst.span).toBeGreaterThan(0);
    const folder = emptyFolder();
    const refused = netvsim(
      ['drill', 'firmware-update', '--order', 'surprise', '--gap', '5s', '--max-gap', '1us', '--junit', 'j'],
      folder,
    );
    expect(refused.exit).toBe(1);
    expect(refused.out).toMatch(/over budget: nic1 could not (send|receive)/);
    expect(refused.err).toContain('reproduce with: netvsim drill firmware-update --order surprise');
    expect(readFileSync(join(folder, 'j'), 'utf8')).toContain('<failure message="nic1 could not');
  });

  test('several NICs, several times, the same each time', () => {
    const args = ['--nics', '3', '--times', '2', '--gap', '3s', '--json'];
    const first = drill(...args);
    expect(first.exit).toBe(0);
    expect(drill(...args).out).toBe(first.out);
    const { phases } = JSON.parse(first.out);
    expect(phases.find((row: { phase: string }) => row.phase === 'gap').rounds).toBe(2);
  });
});
