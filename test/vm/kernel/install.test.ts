import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { FetchedPackages, PackageSource } from '../../../src/vm/kernel/apt.ts';
import { kernelFolder, readInstalled } from '../../../src/vm/kernel/cache.ts';
import { installKernel } from '../../../src/vm/kernel/install.ts';
import { folderOf, makeBzImage, makeElf, packageFiles, RELEASE } from './files.ts';

const PACKAGES = [
  { name: `linux-image-${RELEASE}`, version: '6.1.176-1', architecture: 'i386', sha256: 'a'.repeat(64) },
  { name: 'busybox', version: '1:1.35.0-4', architecture: 'i386', sha256: 'b'.repeat(64) },
];

/** A source that has these packages already. */
const having =
  (files: Readonly<Record<string, Uint8Array>>, packages: FetchedPackages['packages'] = PACKAGES): PackageSource =>
  async (folder) => {
    const root = join(folder, 'root');
    for (const [path, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), bytes);
    }
    return { ok: true, value: { root, packages, warnings: ['one list is old'] } };
  };

const never: PackageSource = () => Promise.reject(new Error('asked for packages'));
const nothing = (): void => undefined;
const install = (cache: string, source: PackageSource, signal = new AbortController().signal) =>
  installKernel(cache, source, nothing, signal);
const filesIn = (cache: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(kernelFolder(cache)).map((name) => [name, readFileSync(join(kernelFolder(cache), name), 'hex')]),
  );

test('an installation is in the cache afterwards, and nothing else', async () => {
  const cache = join(folderOf({}), 'not', 'yet');
  const done = await install(cache, having(packageFiles()));
  expect(done).toMatchObject({ ok: true, value: { wasThere: false, warnings: ['one list is old'] } });
  expect(readdirSync(cache)).toEqual(['kernel']);
  const read = readInstalled(cache);
  if (!read.ok) throw new Error(read.error);
  expect(read.value.manifest.release).toBe(RELEASE);
  expect(read.value.manifest.packages.map(({ name }) => name)).toEqual(['busybox', `linux-image-${RELEASE}`]);
  expect(Buffer.from(read.value.files['userland.cpio']).includes('lib/libmnl.so.0\0')).toBe(true);
});

test('the same packages make the same bytes', async () => {
  const [one, other] = [folderOf({}), folderOf({})];
  await install(one, having(packageFiles()));
  await install(other, having(packageFiles(), [...PACKAGES].reverse()));
  expect(filesIn(one)).toEqual(filesIn(other));
});

test('what is installed is not fetched again', async () => {
  const cache = folderOf({});
  await install(cache, having(packageFiles()));
  expect(await install(cache, never)).toMatchObject({ ok: true, value: { wasThere: true } });
});

test('what is damaged is made anew', async () => {
  const cache = folderOf({});
  await install(cache, having(packageFiles()));
  const sound = filesIn(cache);
  writeFileSync(join(kernelFolder(cache), 'vmlinuz'), 'hello');
  expect(await install(cache, having(packageFiles()))).toMatchObject({ ok: true, value: { wasThere: false } });
  expect(filesIn(cache)).toEqual(sound);
});

test('an installation that fails or is interrupted leaves what was there', async () => {
  const cache = folderOf({});
  await install(cache, having(packageFiles()));
  writeFileSync(join(kernelFolder(cache), 'vmlinuz'), 'damaged');
  const before = filesIn(cache);
  const stop = new AbortController();
  const late: PackageSource = (...all) => {
    stop.abort();
    return having(packageFiles())(...all);
  };
  const failing: PackageSource = async () => ({ ok: false, error: 'no network' });
  const throwing: PackageSource = () =>
    Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC', path: '/x' }));
  expect(await install(cache, late, stop.signal)).toEqual({ ok: false, error: 'interrupted' });
  expect(await install(cache, failing)).toEqual({ ok: false, error: 'no network' });
  expect(await install(cache, throwing)).toEqual({ ok: false, error: '/x: cannot be written (ENOSPC)' });
  expect(filesIn(cache)).toEqual(before);
  expect(readdirSync(cache)).toEqual(['kernel']);
});

test('a cache that cannot be a folder is said', async () => {
  const file = join(folderOf({ file: 'hello' }), 'file');
  const done = await install(file, never);
  expect(done.ok ? '' : done.error).toBe(`${file}: cannot be written (EEXIST)`);
});

test('what an installation left that was ended by force is taken away, one that runs is not', async () => {
  const NOBODY = 4_194_305; // above the largest process id of Linux (PID_MAX_LIMIT)
  const cache = folderOf({ [`.kernel.${NOBODY}.tmp/x`]: '', '.kernel.1.tmp/x': '', 'snapshots/a': '' });
  await install(cache, having(packageFiles()));
  expect(readdirSync(cache).sort()).toEqual(['.kernel.1.tmp', 'kernel', 'snapshots']);
});

const config = `boot/config-${RELEASE}`;
test.each<[string, Record<string, Uint8Array | undefined>, RegExp]>([
  [
    'a 64-bit kernel',
    { [`boot/vmlinuz-${RELEASE}`]: makeBzImage({ xloadFlags: 1 }) },
    /^vmlinuz-\S+: is a 64-bit kernel/,
  ],
  ['no Hyper-V', { [config]: Buffer.from('CONFIG_PCI=y\n') }, /is built without CONFIG_HYPERV$/],
  ['no ip', { 'bin/ip': undefined }, /^bin\/ip: is not in the packages$/],
  ['a 64-bit ip', { 'bin/ip': makeElf({ bits: 64 }) }, /^bin\/ip: is a 64-bit ELF file/],
  [
    'no libmnl',
    { 'usr/lib/i386-linux-gnu/libmnl.so.0': undefined },
    /^libmnl\.so\.0: is not in the packages, and bin\/ip needs it$/,
  ],
  ['no BIOS', { 'usr/share/seabios/bios.bin': undefined }, /^usr\/share\/seabios\/bios\.bin: is not in the packages$/],
])('packages with %s are refused, and nothing is installed', async (_, changes, error) => {
  const cache = folderOf({});
  const done = await install(cache, having(packageFiles(changes)));
  expect(done.ok ? '' : done.error).toMatch(error);
  expect(existsSync(kernelFolder(cache))).toBe(false);
});
