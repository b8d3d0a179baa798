/**
 * The head of a bzImage: whether this file is a kernel that the emulated processor can run, and which one. Layout: Linux,
 * Documentation/arch/x86/boot.rst ("The Real-Mode Kernel Header").
 */
import { err, ok, type Result } from '../../base/result.ts';

const AT = {
  setupSectors: 0x1f1,
  bootFlag: 0x1fe,
  magic: 0x202,
  version: 0x206,
  kernelVersion: 0x20e,
  loadFlags: 0x211,
  xloadFlags: 0x236,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
} as const;
const BOOT_FLAG = 0xaa55;
const MAGIC = 'HdrS';
const SECTOR = 512;
/** What a field of 0 stands for, for the sake of very old boot loaders. */
const SETUP_SECTORS_USUAL = 4;
/** Loaded above 1 MiB: a bzImage and no zImage. */
const LOADED_HIGH = 1;
/** The kernel has a 64-bit entry point: CONFIG_X86_64. There since protocol 2.12 (Linux 3.8). */
const XLF_KERNEL_64 = 1;
const PROTOCOL = { oldest: 0x020c } as const;
/** Of `kernelVersion`, relative to which the field counts. */
const KERNEL_VERSION_BASE = 0x200;
const HEADER_END = 0x268;

export interface BzImage {
  /** As `uname -r` says it. */
  readonly release: string;
  /** The compressed kernel, in whichever compression: see {@link ./payload.ts}. */
  readonly payload: Uint8Array;
}

/** Errors, each a claim about the file: no bzImage, too old, 64 bits, cut short. */
export function readBzImage(bytes: Uint8Array): Result<BzImage, string> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length < HEADER_END || file.readUInt16LE(AT.bootFlag) !== BOOT_FLAG) return err('is no bzImage');
  if (file.toString('latin1', AT.magic, AT.magic + MAGIC.length) !== MAGIC) return err('is no bzImage');
  const version = file.readUInt16LE(AT.version);
  if (version < PROTOCOL.oldest)
    return err(`is a kernel of boot protocol ${version >> 8}.${version & 0xff}: older than Linux 3.8`);
  if (((file[AT.loadFlags] ?? 0) & LOADED_HIGH) === 0) return err('is a zImage, not a bzImage');
  if ((file.readUInt16LE(AT.xloadFlags) & XLF_KERNEL_64) !== 0)
    return err('is a 64-bit kernel (XLF_KERNEL_64 in its boot header): the emulated processor has 32 bits');
  const named = textAt(file, file.readUInt16LE(AT.kernelVersion) + KERNEL_VERSION_BASE);
  const release = named?.split(' ')[0];
  if (release === undefined || release === '') return err('is a bzImage that does not say its release');
  const sectors = file[AT.setupSectors] || SETUP_SECTORS_USUAL;
  const start = (sectors + 1) * SECTOR + file.readUInt32LE(AT.payloadOffset);
  const end = start + file.readUInt32LE(AT.payloadLength);
  if (end > file.length) return err(`is cut short: ${file.length} bytes, the kernel in it ends at ${end}`);
  return ok({ release, payload: file.subarray(start, end) });
}

/** Printable text up to a zero, not longer than any kernel's. */
function textAt(file: Buffer, at: number): string | undefined {
  const LONGEST = 256;
  const end = file.indexOf(0, at);
  if (end === -1 || end - at > LONGEST) return undefined;
  const text = file.toString('latin1', at, end);
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}
