/**
 * What a kernel was built with, read out of its compressed payload as Linux's scripts/extract-vmlinux and
 * scripts/extract-ikconfig do: unpacked, it is an ELF file. Where a configuration is kept in it (CONFIG_IKCONFIG) that
 * one says; else a text that only the Hyper-V part has.
 */
import { spawnSync } from 'node:child_process';
import { constants, gunzipSync } from 'node:zlib';
import { err, ok, type Result } from '../../base/result.ts';
import { elfBits } from './elf.ts';

/** Larger than any kernel. */
const LARGEST = 1 << 29;
const PATIENCE_MS = 60_000;

/** How each compression begins (scripts/extract-vmlinux), and the program that undoes it. */
const COMPRESSIONS: readonly { readonly magic: readonly number[]; readonly unpack: Unpack }[] = [
  { magic: [0x1f, 0x8b], unpack: unpackGzip },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: by('xz', '-dc') },
  { magic: [0x5d, 0x00, 0x00], unpack: by('xz', '--format=lzma', '-dc') },
  { magic: [0x42, 0x5a, 0x68], unpack: by('bzip2', '-dc') },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: by('zstd', '-dc') },
  { magic: [0x02, 0x21, 0x4c, 0x18], unpack: by('lz4', '-dc') },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], unpack: by('lzop', '-dc') },
];

type Unpack = (payload: Uint8Array) => Result<Uint8Array, string>;

/** arch/x86/hyperv/hv_init.c is built with CONFIG_HYPERV alone; the name "Microsoft Hyper-V" is in every guest kernel. */
const HYPERV_TEXT = 'x86/hyperv_init:online';
const IKCONFIG = { start: 'IKCFG_ST', end: 'IKCFG_ED' } as const;

/**
 * Whether the kernel has CONFIG_HYPERV, built in or as modules. Errors, each a claim about the file: a compression that is
 * not known or whose program is missing here, no kernel inside, 64 bits.
 */
export function hasHyperV(payload: Uint8Array): Result<boolean, string> {
  const unpacked = unpackPayload(payload);
  if (!unpacked.ok) return unpacked;
  const bits = elfBits(unpacked.value);
  if (bits === 64)
    return err('is a 64-bit kernel (its payload is a 64-bit ELF file): the emulated processor has 32 bits');
  if (bits === undefined) return err('has no kernel in its payload');
  const kernel = Buffer.from(unpacked.value.buffer, unpacked.value.byteOffset, unpacked.value.length);
  const config = configIn(kernel);
  return ok(config === undefined ? kernel.includes(HYPERV_TEXT) : configHasHyperV(config));
}

/** Of the text of a kernel's configuration, /boot/config-RELEASE. */
export const configHasHyperV = (config: string): boolean => /^CONFIG_HYPERV=[ym]$/m.test(config);

function configIn(kernel: Buffer): string | undefined {
  const start = kernel.indexOf(IKCONFIG.start);
  const end = kernel.indexOf(IKCONFIG.end, start);
  if (start === -1 || end === -1) return undefined;
  const unpacked = unpackGzip(kernel.subarray(start + IKCONFIG.start.length, end));
  return unpacked.ok ? Buffer.from(unpacked.value).toString('latin1') : undefined;
}

function unpackPayload(payload: Uint8Array): Result<Uint8Array, string> {
  const found = COMPRESSIONS.find(({ magic }) => magic.every((byte, at) => payload[at] === byte));
  if (found === undefined) return err('has a payload in no known compression');
  return found.unpack(payload);
}

function unpackGzip(payload: Uint8Array): Result<Uint8Array, string> {
  try {
    return ok(gunzipSync(payload, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: LARGEST }));
  } catch {
    return err('has a payload that cannot be unpacked');
  }
}

/** The program complains of the size that the kernel's build puts after the data: what counts is what it printed. */
function by(program: string, ...flags: readonly string[]): Unpack {
  return (payload) => {
    const done = spawnSync(program, flags, { input: payload, maxBuffer: LARGEST, timeout: PATIENCE_MS });
    const { code } = (done.error ?? {}) as NodeJS.ErrnoException;
    if (code === 'ENOENT') return err(`is packed with ${program}, a program that is not on this machine`);
    return ok(done.stdout ?? new Uint8Array());
  };
}
