import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { cacheFolder, formatManifest, kernelFolder, readInstalled } from '../../../src/vm/kernel/cache.ts';
import { type BootImages, type BootOptions, CMDLINE, readBootImages } from '../../../src/vm/kernel/images.ts';
import { installKernel } from '../../../src/vm/kernel/install.ts';
import { folderOf, makeBzImage, makeElf, makeModule, packageFiles, RELEASE } from './files.ts';

const image = { name: `linux-image-${RELEASE}`, version: '1', architecture: 'i386', sha256: '0'.repeat(64) };
let cache: string;

beforeAll(async () => {
  cache = folderOf({});
  const root = folderOf(packageFiles());
  const source = async () => ({ ok: true, value: { root, packages: [image], warnings: [] } }) as const;
  await installKernel(cache, source, () => undefined, new AbortController().signal);
});

function imagesOf(options: Partial<BootOptions>): BootImages {
  const read = readBootImages({ cache, ...options });
  if (!read.ok) throw new Error(read.error);
  return read.value;
}
function problemOf(options: Partial<BootOptions>): string {
  const read = readBootImages({ cache, ...options });
  return read.ok ? '' : read.error.replace(/\S*netvsim-kernel-\w+/g, 'DIR');
}
const contains = (bytes: Uint8Array, text: string): boolean => Buffer.from(bytes).includes(text);
/** A copy of the cache, changed. */
function changed(change: (folder: string) => void): string {
  const copy = folderOf({});
  cpSync(cache, copy, { recursive: true });
  change(kernelFolder(copy));
  return copy;
}

describe('what was installed', () => {
  test('is all there, with the ACPI table first in the initrd', () => {
    const images = imagesOf({});
    expect([images.release, images.cmdline]).toEqual([RELEASE, CMDLINE]);
    expect([images.bios.length, images.vgaBios.length]).toEqual([131072, 512]);
    const at = (text: string): number => Buffer.from(images.initrd).indexOf(text);
    expect(at('kernel/firmware/acpi/ssdt.aml\0')).toBeLessThan(1024);
    for (const file of ['etc/agent\0', 'bin/ip\0', `lib/modules/${RELEASE}/modules.dep\0`])
      expect(at(file)).toBeGreaterThan(1024);
    expect(images.initrd.length % 512).toBe(0);
  });

  test('has an identity that only its bytes decide', () => {
    const copy = changed(() => undefined);
    expect(imagesOf({ cache: copy }).id).toBe(imagesOf({}).id);
    expect(imagesOf({}).id).toMatch(/^[0-9a-f]{64}$/);
    const initrd = join(folderOf({ initrd: 'mine' }), 'initrd');
    expect(imagesOf({ initrd }).id).not.toBe(imagesOf({}).id);
  });

  test('survives the way through its manifest', () => {
    const read = readInstalled(cache);
    if (!read.ok) throw new Error(read.error);
    const { manifest, files } = read.value;
    const text = readFileSync(join(kernelFolder(cache), 'manifest.json'), 'utf8');
    expect(formatManifest(manifest.release, manifest.packages, files)).toBe(text);
  });
});

const manifestWith = (change: (text: string) => string) => (folder: string) => {
  const file = join(folder, 'manifest.json');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
};
const REMEDY = "run 'netvsim kernel install'";

test.each<[string, (folder: string) => void, string]>([
  ['no installation', (folder) => rmSync(folder, { recursive: true }), `no kernel is installed in DIR: ${REMEDY}`],
  ['a missing file', (folder) => rmSync(join(folder, 'vmlinuz')), `DIR/kernel/vmlinuz: is missing: ${REMEDY}`],
  [
    'a changed file',
    (folder) => writeFileSync(join(folder, 'bios.bin'), 'x'),
    `DIR/kernel/bios.bin: is damaged, its SHA-256 is not that of the manifest: ${REMEDY}`,
  ],
  [
    'a manifest cut short',
    manifestWith((text) => text.slice(0, 100)),
    `DIR/kernel/manifest.json: is damaged, it is no JSON: ${REMEDY}`,
  ],
  [
    'a manifest of something else',
    manifestWith(() => '{"format": 1}'),
    `DIR/kernel/manifest.json: is damaged, it is no manifest: ${REMEDY}`,
  ],
  [
    'a manifest of nothing',
    manifestWith(() => 'null'),
    `DIR/kernel/manifest.json: is damaged, it is no manifest: ${REMEDY}`,
  ],
  [
    'a manifest of another version',
    manifestWith((text) => text.replace('"format": 1', '"format": 7')),
    `DIR/kernel/manifest.json: is of another version of netvsim (format 7, this one reads 1): ${REMEDY}`,
  ],
])('a cache with %s is one line', (_, change, problem) => {
  expect(problemOf({ cache: changed(change) })).toBe(problem);
});

describe("the user's own", () => {
  const own = folderOf({
    same: makeBzImage(),
    other: makeBzImage({
      release: '6.6.9-mine',
      payload: gzipSync(Buffer.concat([makeElf({}), Buffer.from('x86/hyperv_init:online')])),
    }),
    without: makeBzImage({ payload: gzipSync(makeElf({})) }),
    wide: makeBzImage({ xloadFlags: 0x7f }),
    text: 'hello',
    initrd: 'my initrd',
    'modules/hv_vmbus.ko': makeModule('', '6.6.9-mine'),
    'modules/hv_netvsc.ko': makeModule('hv_vmbus', '6.6.9-mine'),
    'few/hv_vmbus.ko': makeModule(''),
  });
  const file = (name: string): string => join(own, name);

  test('kernel of the installed release takes the installed modules', () => {
    expect(imagesOf({ kernel: file('same') }).release).toBe(RELEASE);
  });

  test('kernel and modules go together, beside the installed programs', () => {
    const { initrd, release } = imagesOf({ kernel: file('other'), modules: file('modules') });
    expect(release).toBe('6.6.9-mine');
    expect(contains(initrd, 'lib/modules/6.6.9-mine/hv_netvsc.ko\0')).toBe(true);
    expect(contains(initrd, `lib/modules/${RELEASE}`)).toBe(false);
    expect(contains(initrd, 'bin/ip\0')).toBe(true);
  });

  test('initrd has only the ACPI table before it', () => {
    const { initrd } = imagesOf({ kernel: file('other'), initrd: file('initrd') });
    expect(initrd).toHaveLength(1024 + 'my initrd'.length);
    expect(contains(initrd.subarray(0, 1024), 'VMBUS')).toBe(true);
    expect(contains(initrd.subarray(1024), 'my initrd')).toBe(true);
  });

  test.each<[string, Partial<BootOptions>, string]>([
    ['kernel that is not there', { kernel: file('none') }, 'DIR/none: there is no such file'],
    ['kernel that is a folder', { kernel: own }, 'DIR: cannot be read (EISDIR)'],
    ['kernel that is none', { kernel: file('text') }, 'DIR/text: is no bzImage'],
    [
      'kernel of 64 bits',
      { kernel: file('wide') },
      'DIR/wide: is a 64-bit kernel (XLF_KERNEL_64 in its boot header): the emulated processor has 32 bits',
    ],
    [
      'kernel without its modules',
      { kernel: file('other') },
      'DIR/other: is 6.6.9-mine: give its modules as well (--modules /lib/modules/6.6.9-mine)',
    ],
    [
      'modules of another kernel',
      { modules: file('modules') },
      `DIR/modules: has modules of 6.6.9-mine, and the installed kernel is ${RELEASE}`,
    ],
    [
      'modules without Hyper-V',
      { modules: file('few') },
      'DIR/few: has no hv_netvsc: the kernel was built without CONFIG_HYPERV or CONFIG_HYPERV_NET',
    ],
    [
      'kernel without Hyper-V, with an initrd',
      { kernel: file('without'), initrd: file('initrd') },
      'DIR/without: is a kernel without Hyper-V (CONFIG_HYPERV)',
    ],
    [
      'kernel with an initrd in no known compression',
      { kernel: file('same'), initrd: file('initrd') },
      'DIR/same: has a payload in no known compression',
    ],
    ['initrd that is not there', { initrd: file('none') }, 'DIR/none: there is no such file'],
    [
      'modules and initrd together',
      { modules: file('modules'), initrd: file('initrd') },
      'modules and an initrd are given: an initrd of your own has its modules in it',
    ],
  ])('%s is one line', (_, options, problem) => {
    expect(problemOf(options)).toBe(problem);
  });
});

test('the cache folder is where the XDG specification wants it; a relative path does not count', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/netvsim');
  expect(cacheFolder({ XDG_CACHE_HOME: 'x' })).toMatch(/^\/.*\/\.cache\/netvsim$/);
  expect(cacheFolder({})).toBe(cacheFolder({ XDG_CACHE_HOME: '' }));
});
