import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBzImage } from '../../src/vm/kernel/bzimage.ts';
import { kernelFolder, readInstalled } from '../../src/vm/kernel/cache.ts';
import { readBootImages } from '../../src/vm/kernel/images.ts';
import { hasHyperV } from '../../src/vm/kernel/payload.ts';
import { netvsim, type Outcome } from '../support/command.ts';
import { need } from './namespace.ts';

/** Debian's own packages, by Debian's own apt: it needs the network. */
const folder = mkdtempSync(join(tmpdir(), 'netvsim-kernel-'));
const [one, other] = [join(folder, 'one'), join(folder, 'other')];
const install = (cache: string): Outcome => netvsim(['kernel', 'install', '--cache', cache]);
let outcome: Outcome;

beforeAll(() => {
  need('apt', 'dpkg', 'xz-utils', 'debian-archive-keyring');
  outcome = install(one);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a stock kernel is put together from Debian's packages", () => {
  expect(outcome.err).not.toMatch(/bug/);
  expect([outcome.exit, outcome.out]).toEqual([0, expect.stringMatching(/^6\.1\.0-\d+-686 installed in /)]);
  expect(readdirSync(one)).toEqual(['kernel']);
  const images = readBootImages({ cache: one });
  if (!images.ok) throw new Error(images.error);
  expect(images.value.release).toMatch(/^6\.1\.0-\d+-686$/);
  for (const file of ['bin/busybox', 'bin/ip', 'lib/ld-linux.so.2', 'lib/libc.so.6', 'hv_netvsc.ko', 'ne2k-pci.ko'])
    expect(Buffer.from(images.value.initrd).includes(`${file}\0`)).toBe(true);
  expect(images.value.initrd.length).toBeLessThan(8 << 20);
});

test('its payload, unpacked with xz, has Hyper-V in it', () => {
  const installed = readInstalled(one);
  if (!installed.ok) throw new Error(installed.error);
  const image = readBzImage(installed.value.files.vmlinuz);
  if (!image.ok) throw new Error(image.error);
  expect(hasHyperV(image.value.payload)).toEqual({ ok: true, value: true });
});

test('the same packages make the same manifest, so the same bytes', () => {
  install(other);
  const manifest = (cache: string): string => readFileSync(join(kernelFolder(cache), 'manifest.json'), 'utf8');
  expect(manifest(other)).toBe(manifest(one));
});

test('a second installation has nothing to do', () => {
  const begun = performance.now();
  expect(install(one).out).toMatch(/^\S+ is installed already in /);
  expect(performance.now() - begun).toBeLessThan(5000);
});
