/** Made-up files of the formats that an installation reads, with no more in them than is read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

export interface MadeElf {
  readonly needed?: readonly string[];
  readonly interp?: string;
  readonly modinfo?: readonly string[];
  readonly bits?: 32 | 64;
  readonly machine?: number;
}

/** An ELF32 file (System V ABI, chapter 4): one PT_LOAD of all, PT_INTERP, PT_DYNAMIC, and a section .modinfo. */
export function makeElf({ needed = [], interp, modinfo, bits = 32, machine = 3 }: MadeElf): Buffer {
  const BASE = 0x0800_0000;
  const [HEADER, SEGMENT, SECTION] = [52, 32, 40];
  const strings = Buffer.from(`\0${needed.map((name) => `${name}\0`).join('')}`);
  const interpreter = Buffer.from(interp === undefined ? '' : `${interp}\0`);
  const info = Buffer.from((modinfo ?? []).map((text) => `${text}\0`).join(''));
  const names = Buffer.from('\0.shstrtab\0.modinfo\0');
  const stringsAt = HEADER + 3 * SEGMENT;
  const interpAt = stringsAt + strings.length;
  const infoAt = interpAt + interpreter.length;
  const namesAt = infoAt + info.length;
  const dynamicAt = namesAt + names.length;
  let at = 1;
  const needs = needed.map((name) => {
    const place = at;
    at += name.length + 1;
    return [1, place];
  });
  const dynamic = words(...needs.flat(), 5, BASE + stringsAt, 0, 0);
  const sectionsAt = dynamicAt + dynamic.length;
  const size = sectionsAt + 3 * SECTION;
  const segment = (type: number, offset: number, length: number): Buffer =>
    words(type, offset, BASE + offset, BASE + offset, length, length, 4, 4);
  const section = (name: number, offset: number, length: number): Buffer =>
    words(name, 1, 0, 0, offset, length, 0, 0, 1, 0);
  const header = Buffer.alloc(HEADER);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]);
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(machine, 18);
  words(HEADER, sectionsAt).copy(header, 28);
  const hasInterp = interp === undefined ? 0 : 3;
  const shapes = [HEADER, SEGMENT, 3, SECTION, 3, 1];
  shapes.forEach((value, index) => {
    header.writeUInt16LE(value, 40 + 2 * index);
  });
  return Buffer.concat([
    header,
    segment(1, 0, size),
    segment(hasInterp, interpAt, interpreter.length),
    segment(2, dynamicAt, dynamic.length),
    strings,
    interpreter,
    info,
    names,
    dynamic,
    section(0, 0, 0),
    section(1, namesAt, names.length),
    section(modinfo === undefined ? 0 : 11, infoAt, info.length),
  ]);
}

export const RELEASE = '6.1.0-50-686';

export const makeModule = (depends: string, release = RELEASE): Buffer =>
  makeElf({ modinfo: ['license=GPL', `depends=${depends}`, `vermagic=${release} SMP preempt mod_unload `] });

export interface MadeBzImage {
  readonly release?: string;
  readonly payload?: Uint8Array;
  readonly protocol?: number;
  readonly loadFlags?: number;
  readonly xloadFlags?: number;
}

/** A bzImage (Linux, Documentation/arch/x86/boot.rst) with one setup sector after the boot sector. */
export function makeBzImage({ release = RELEASE, payload = Buffer.from('?'), ...flags }: MadeBzImage = {}): Buffer {
  const { protocol = 0x020f, loadFlags = 1, xloadFlags = 0 } = flags;
  const head = Buffer.alloc(2 * 512);
  head[0x1f1] = 1;
  head.writeUInt16LE(0xaa55, 0x1fe);
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(protocol, 0x206);
  head.writeUInt16LE(0x100, 0x20e);
  head[0x211] = loadFlags;
  head.writeUInt16LE(xloadFlags, 0x236);
  head.writeUInt32LE(0, 0x248);
  head.writeUInt32LE(payload.length, 0x24c);
  head.write(`${release} (somebody@somewhere) #1 SMP\0`, 0x300, 'latin1');
  return Buffer.concat([head, payload]);
}

const words = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value >>> 0, 4 * index);
  });
  return bytes;
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with these files in it, until the tests of a file are through. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'netvsim-kernel-'));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** What Debian's packages unpack to, as far as it is read; `changes` put other files there, or take some away. */
export function packageFiles(
  changes: Readonly<Record<string, Uint8Array | undefined>> = {},
): Record<string, Uint8Array> {
  const drivers = `lib/modules/${RELEASE}/kernel/drivers`;
  const libc = makeElf({ needed: ['ld-linux.so.2'] });
  const all: Record<string, Uint8Array | undefined> = {
    [`boot/vmlinuz-${RELEASE}`]: makeBzImage(),
    [`boot/config-${RELEASE}`]: Buffer.from('CONFIG_X86_32=y\nCONFIG_HYPERV=m\n'),
    [`${drivers}/hv/hv_vmbus.ko`]: makeModule(''),
    [`${drivers}/net/hyperv/hv_netvsc.ko`]: makeModule('hv_vmbus'),
    [`${drivers}/net/ethernet/8390/ne2k-pci.ko`]: makeModule('8390'),
    [`${drivers}/net/ethernet/8390/8390.ko`]: makeModule(''),
    'bin/busybox': makeElf({ interp: '/lib/ld-linux.so.2', needed: ['libc.so.6'] }),
    'bin/ip': makeElf({ interp: '/lib/ld-linux.so.2', needed: ['libmnl.so.0', 'libc.so.6'] }),
    'usr/lib/i386-linux-gnu/libmnl.so.0': makeElf({ needed: ['libc.so.6'] }),
    'lib/i386-linux-gnu/libc.so.6': libc,
    'lib/ld-linux.so.2': makeElf({}),
    'usr/share/seabios/bios.bin': Buffer.alloc(131072, 1),
    'usr/share/seabios/vgabios-stdvga.bin': Buffer.alloc(512, 2),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, bytes]) => (bytes === undefined ? [] : [[name, bytes]])),
  );
}
