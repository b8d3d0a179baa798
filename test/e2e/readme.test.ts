import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { emptyFolder, netvsim } from '../support/command.ts';

// Each test starts the whole program, some of them several times.
vi.setConfig({ testTimeout: 120_000 });

const root = join(import.meta.dirname, '../..');
const README = readFileSync(join(root, 'README.md'), 'utf8');

const blocks = (language: string): readonly string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((block) => block[1] ?? '');

interface Example {
  readonly args: readonly string[];
  readonly exit: number;
}

/** `netvsim run x --guest y   # exits 1`: without a comment it ends with 0. */
function readExample(line: string): Example {
  const [command = '', comment = ''] = line.split(/\s+#\s*/);
  const args = command
    .replace(/ > \S+$/, '')
    .split(/\s+/)
    .slice(1);
  return { args, exit: Number(/^exits (\d+)/.exec(comment)?.[1] ?? 0) };
}

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
  symlinkSync(join(root, 'fixtures'), join(folder, 'fixtures'), 'junction');
  return folder;
}

const sessions = blocks('console').map((block) => block.split('\n').filter((line) => line.startsWith('$ ')));

test('the README shows commands', () => {
  expect(sessions.flat().length).toBeGreaterThan(9);
  expect(sessions.flat().filter((line) => !line.startsWith('$ netvsim '))).toEqual([]);
});

test.each(sessions)('README: %s', (...lines) => {
  const folder = checkout();
  for (const line of lines) tryOut(readExample(line.slice(2)), folder);
});

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
  symlinkSync(root, join(folder, 'node_modules/netvsim'), 'junction');
  writeFileSync(join(folder, 'my.yaml'), blocks('yaml')[0] ?? '');
  writeFileSync(join(folder, 'my.mjs'), program);
  const done = spawnSync(process.execPath, ['my.mjs'], { cwd: folder, encoding: 'utf8' });
  expect({ exit: done.status, err: done.stderr }).toEqual({ exit: 0, err: '' });
  expect(done.stdout).toMatch(/^0 .*\n(.*\n)*.*nic1\.vf joined nic1/);
});

test("the README's driver is the one in fixtures, which has a test of its own", () => {
  const [, ...shown] = blocks('ts');
  const drivers = join(root, 'fixtures/drivers');
  const files = readdirSync(drivers).map((file) => readFileSync(join(drivers, file), 'utf8'));
  expect(shown.length).toBeGreaterThan(2);
  expect(shown.filter((block) => !files.some((file) => file.includes(block)))).toEqual([]);
});

/** Every command there is, found by asking for help. */
function commandsBelow(path: readonly string[]): readonly (readonly string[])[] {
  const { out } = netvsim([...path, '--help']);
  const listed = out.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  const names = [...listed.matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map((line) => line[1] ?? '')
    .filter((name) => name !== 'help');
  return [path, ...names.flatMap((name) => commandsBelow([...path, name]))];
}

/** A folder with what an example of --help names. */
function workFolder(example: string): string {
  const folder = emptyFolder();
  const scenario = readFileSync(join(root, 'fixtures/scenarios/vf-plug-join.yaml'));
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

test.each(commandsBelow([]).map((path) => ({ path, name: ['netvsim', ...path].join(' ') })))(
  'the examples of $name --help',
  ({ path }) => {
    const { out } = netvsim([...path, '--help']);
    const lines = (out.split('\nExamples:\n')[1] ?? '').split('\n\n')[0]?.split('\n') ?? [];
    const examples = lines.map((line) => line.trim()).filter((line) => line.startsWith('netvsim '));
    expect(examples).not.toEqual([]);
    for (const example of examples) tryOut(readExample(example), workFolder(example));
  },
);
