import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, netvsim } from '../support/command.ts';
import {
  blocks,
  commandsBelow,
  type Example,
  examplesOf,
  needsKernel,
  ROOT,
  readExample,
  sessions,
} from '../support/examples.ts';

/** Runs it as it stands there, but for /tmp. */
function tryOut({ args, exit }: Example, folder: string): void {
  const outcome = netvsim(
    args.map((word) => word.replace(/^\/tmp(?=\/)/, folder)),
    folder,
  );
  expect(`netvsim ${args.join(' ')}: ${outcome.exit}\n${outcome.err}`).toMatch(
    new RegExp(`^netvsim [^\\n]*: ${exit}\\n`),
  );
  expect(outcome.err).not.toMatch(/^ +at |netvsim bug/m);
}

/** An empty folder that looks like a checkout, as far as examples go. */
function checkout(): string {
  const folder = emptyFolder();
  symlinkSync(join(ROOT, 'fixtures'), join(folder, 'fixtures'), 'junction');
  return folder;
}

test('the README shows commands', () => {
  expect(sessions.flat().length).toBeGreaterThan(9);
  expect(sessions.flat().filter((line) => !/^netvsim /.test(line) && !needsKernel(line))).toEqual([]);
});

test.each(sessions.map((lines) => lines.filter((line) => !needsKernel(line))).filter((lines) => lines.length > 0))(
  'README: %s',
  (...lines) => {
    const folder = checkout();
    for (const line of lines) tryOut(readExample(line), folder);
  },
);

test("the README's scenario holds", () => {
  const [yaml = '', ...others] = blocks('yaml');
  expect(others).toEqual([]);
  const folder = emptyFolder();
  writeFileSync(join(folder, 'my.yaml'), yaml);
  expect(netvsim(['check', 'my.yaml'], folder)).toMatchObject({ exit: 0, err: '' });
  expect(netvsim(['run', 'my.yaml'], folder)).toMatchObject({ exit: 0, err: '' });
});

test("the README's program runs the README's scenario with the package", () => {
  const [program = ''] = blocks('ts');
  const folder = emptyFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/netvsim'), 'junction');
  writeFileSync(join(folder, 'my.yaml'), blocks('yaml')[0] ?? '');
  writeFileSync(join(folder, 'my.mjs'), program);
  const done = spawnSync(process.execPath, ['my.mjs'], { cwd: folder, encoding: 'utf8' });
  expect({ exit: done.status, err: done.stderr }).toEqual({ exit: 0, err: '' });
  expect(done.stdout).toMatch(/^0 .*\n(.*\n)*.*nic1\.vf joined nic1/);
});

test("the README's driver is the one in fixtures, which has a test of its own", () => {
  const [, ...shown] = blocks('ts');
  const drivers = join(ROOT, 'fixtures/drivers');
  const files = readdirSync(drivers).map((file) => readFileSync(join(drivers, file), 'utf8'));
  expect(shown.length).toBeGreaterThan(2);
  expect(shown.filter((block) => !files.some((file) => file.includes(block)))).toEqual([]);
});

/** A folder with what an example of --help names. */
function workFolder(example: string): string {
  const folder = emptyFolder();
  const scenario = readFileSync(join(ROOT, 'fixtures/scenarios/vf-plug-join.yaml'));
  for (const name of ['my.yaml', 'other.yaml']) writeFileSync(join(folder, name), scenario);
  if (example.includes('replay my.order')) {
    const search = [
      'explore',
      'vf-seen-before-join',
      '--guest',
      'linux-5.15',
      '--orders',
      '10',
      '--record',
      'my.order',
    ];
    netvsim(search, folder);
  }
  if (!example.includes('.trace')) return folder;
  for (const name of ['my.trace', 'good.trace']) netvsim(['run', 'my.yaml', '--trace', name], folder);
  netvsim(['run', 'my.yaml', '--guest', 'linux-5.15', '--trace', 'bad.trace'], folder);
  return folder;
}

const shownInReadme = new Set(sessions.flat().map((line) => readExample(line).command));

test.each(commandsBelow([]).map((path) => ({ path, name: ['netvsim', ...path].join(' ') })))(
  'the examples of $name --help',
  ({ path }) => {
    const examples = examplesOf(path);
    expect(examples).not.toEqual([]);
    const here = examples.filter(
      (example) => !needsKernel(example) && !shownInReadme.has(readExample(example).command),
    );
    for (const example of here) tryOut(readExample(example), workFolder(example));
  },
);
