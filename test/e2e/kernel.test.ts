import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installKernel } from '../../src/vm/kernel/install.ts';
import { emptyFolder, netvsim, type Outcome } from '../support/command.ts';
import { folderOf, packageFiles, RELEASE } from '../vm/kernel/files.ts';

const PACKAGE = { name: `linux-image-${RELEASE}`, version: '6.1.176-1', architecture: 'i386', sha256: 'ab'.repeat(32) };

/** A cache folder with an installation from made-up packages. */
async function installed(): Promise<string> {
  const cache = emptyFolder();
  const root = folderOf(packageFiles());
  const source = async () => ({ ok: true, value: { root, packages: [PACKAGE], warnings: [] } }) as const;
  await installKernel(cache, source, () => undefined, new AbortController().signal);
  return cache;
}

const refuses = ({ exit, out, err }: Outcome, message: RegExp): void => {
  expect(err).toMatch(message);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect([exit, out]).toEqual([2, '']);
};

test('what is installed is shown, in columns and as JSON', async () => {
  const cache = await installed();
  const shown = netvsim(['kernel', 'show', '--cache', cache]);
  expect(shown.out).toMatch(new RegExp(`^kernel ${RELEASE} in ${cache}/kernel\\n`));
  expect(shown.out).toMatch(/^linux-image-6\.1\.0-50-686 +6\.1\.176-1 +i386 +abababababababab$/m);
  expect(shown.out).toMatch(/^bios\.bin +131072 +[0-9a-f]{16}$/m);
  const json = JSON.parse(netvsim(['kernel', 'show', '--cache', cache, '--json']).out);
  expect(json).toMatchObject({ format: 'netvsim kernel', release: RELEASE, packages: [PACKAGE] });
});

test('what is there is not installed again: nothing is asked of any mirror', async () => {
  const cache = await installed();
  const { exit, out } = netvsim(['kernel', 'install', '--cache', cache, '--mirror', 'http://127.0.0.1:9']);
  expect([exit, out]).toEqual([0, `${RELEASE} is installed already in ${join(cache, 'kernel')}\n`]);
});

test('what cannot be is one line, and nothing is left behind', () => {
  const folder = emptyFolder();
  const file = join(folder, 'file');
  writeFileSync(file, 'hello');
  refuses(
    netvsim(['kernel', 'show', '--cache', folder]),
    /^no kernel is installed in \S+: run 'netvsim kernel install'$/m,
  );
  refuses(netvsim(['kernel', 'install', '--cache', file]), /file: cannot be written \(EEXIST\)$/m);
  refuses(
    netvsim(['kernel', 'install', '--cache', folder, '--mirror', 'ftp://x']),
    /^--mirror ftp:\/\/x: is no address/,
  );
  refuses(netvsim(['kernel', 'show', '--cache', '']), /^--cache: an empty text is no directory name$/m);
  expect(readdirSync(folder)).toEqual(['file']);
});
