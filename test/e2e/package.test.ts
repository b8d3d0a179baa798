import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from '../support/command.ts';

const root = join(import.meta.dirname, '../..');

/** A folder of somebody who has installed the package and vitest, with the example drivers as his own. */
function project(): string {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/netvsim'), 'junction');
  symlinkSync(join(root, 'node_modules/vitest'), join(folder, 'node_modules/vitest'), 'junction');
  cpSync(join(root, 'fixtures/drivers'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return folder;
}

function vitest(folder: string): { readonly exit: number | null; readonly out: string } {
  const program = join(folder, 'node_modules/vitest/vitest.mjs');
  const env = { ...process.env, NO_COLOR: '1', VITEST: undefined };
  const done = spawnSync(process.execPath, [program, 'run', '--root', folder], { cwd: folder, encoding: 'utf8', env });
  return { exit: done.status, out: done.stdout + done.stderr };
}

test('the built package searches the orders of a driver under vitest', () => {
  const folder = project();
  expect(vitest(folder)).toMatchObject({ exit: 0, out: expect.stringMatching(/Tests\s+1 passed/) });
  const file = join(folder, 'early-up.test.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace('early-up.fixed.ts', 'early-up.buggy.ts'));
  const { exit, out } = vitest(folder);
  expect(exit).toBe(1);
  expect(out).toContain('expected to hold in all orders\n\nFAILS: deadlock in ');
});

test('there too it tells whose code asks for the time', () => {
  const folder = project();
  const driver = join(folder, 'early-up.fixed.ts');
  const asking = readFileSync(driver, 'utf8').replace(
    '        works.set(dev, work);',
    '        works.set(dev, work); Date.now();',
  );
  const line = asking.slice(0, asking.indexOf('Date.now')).split('\n').length;
  writeFileSync(driver, asking);
  const { exit, out } = vitest(folder);
  expect(exit).toBe(1);
  expect(out).toContain('FAILS: driver used Date.now in ');
  expect(out).toContain("it comes in the usual order; to run no other: explore(scenario, { ..., order: '' })");
  expect(out).toContain(`driver early-up uses Date.now at Object.notify (early-up.fixed.ts:${line})`);
});
