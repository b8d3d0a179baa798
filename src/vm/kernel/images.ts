/** All that the emulated machine boots from: what was installed, or the user's own kernel, modules and initrd. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';
import { modulePath } from '../processor/virtual-time.ts';
import { type BzImage, readBzImage } from './bzimage.ts';
import { type Installed, readInstalled } from './cache.ts';
import { encodeCpio } from './cpio.ts';
import { guestInitrd, ownInitrd } from './initrd.ts';
import { readModules } from './modules.ts';
import { hasHyperV } from './payload.ts';

/**
 * What the kernel is told at boot (Linux, Documentation/admin-guide/kernel-parameters.txt). The console is the first serial
 * line. `noisapnp`, `cryptomgr.notests`, `pmtmr=0`, `nokaslr`, `mitigations=off`, `audit=0` and `apparmor=0` leave out
 * what costs seconds of emulated boot and is no part of what is shown. By the stamps of `printk.time=1` the kernel's own
 * lines are told from those of programs.
 */
export const CMDLINE =
  'console=ttyS0 quiet printk.time=1 noisapnp cryptomgr.notests pmtmr=0 nokaslr mitigations=off audit=0 apparmor=0';

export interface BootImages {
  /** As `uname -r` says it. */
  readonly release: string;
  /** A bzImage. */
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  readonly bios: Uint8Array;
  readonly vgaBios: Uint8Array;
  readonly cmdline: string;
  /** SHA-256 over all of it and the emulator, in hex: what a snapshot belongs to. */
  readonly id: string;
}

export interface BootOptions {
  readonly cache: string;
  /** A bzImage. */
  readonly kernel?: string;
  /** A /lib/modules/RELEASE tree. */
  readonly modules?: string;
  /** It is booted as it is, with the ACPI table of the bus before it. */
  readonly initrd?: string;
}

/**
 * Errors, one line each: nothing is installed, or it is damaged; a file cannot be read; a kernel is none, or has 64 bits,
 * or no Hyper-V; modules are missing, broken or of another kernel.
 */
export function readBootImages(options: BootOptions): Result<BootImages, string> {
  if (options.modules !== undefined && options.initrd !== undefined)
    return err('modules and an initrd are given: an initrd of your own has its modules in it');
  const installed = readInstalled(options.cache);
  if (!installed.ok) return installed;
  const kernel = readKernel(options, installed.value);
  if (!kernel.ok) return kernel;
  const initrd = readInitrd(options, installed.value, kernel.value);
  if (!initrd.ok) return initrd;
  const { files } = installed.value;
  const images = {
    release: kernel.value.release,
    kernel: kernel.value.bytes,
    initrd: initrd.value,
    bios: files['bios.bin'],
    vgaBios: files['vgabios.bin'],
    cmdline: CMDLINE,
  };
  return ok({ ...images, id: idOf(images) });
}

interface Kernel extends BzImage {
  readonly bytes: Uint8Array;
}

function readKernel({ kernel: file }: BootOptions, { files }: Installed): Result<Kernel, string> {
  const bytes = file === undefined ? ok(files.vmlinuz) : readImage(file);
  if (!bytes.ok) return bytes;
  const image = readBzImage(bytes.value);
  return image.ok ? ok({ ...image.value, bytes: bytes.value }) : err(`${file ?? 'vmlinuz'}: ${image.error}`);
}

function readInitrd(options: BootOptions, installed: Installed, kernel: Kernel): Result<Uint8Array, string> {
  const { files, manifest } = installed;
  const name = options.kernel ?? 'the installed kernel';
  if (options.initrd !== undefined) return readOwnInitrd(options.initrd, options.kernel, kernel);
  if (options.modules !== undefined) {
    const modules = readModules(options.modules);
    if (!modules.ok) return modules;
    if (modules.value.release !== kernel.release)
      return err(`${options.modules}: has modules of ${modules.value.release}, and ${name} is ${kernel.release}`);
    return ok(guestInitrd(files['userland.cpio'], encodeCpio(modules.value.entries)));
  }
  if (kernel.release !== manifest.release)
    return err(`${name}: is ${kernel.release}: give its modules as well (--modules /lib/modules/${kernel.release})`);
  return ok(guestInitrd(files['userland.cpio'], files['modules.cpio']));
}

/** Its modules are out of sight: whether a kernel has Hyper-V only the kernel itself can say. */
function readOwnInitrd(file: string, kernelFile: string | undefined, kernel: Kernel): Result<Uint8Array, string> {
  if (kernelFile !== undefined) {
    const checked = hasHyperV(kernel.payload);
    if (!checked.ok) return err(`${kernelFile}: ${checked.error}`);
    if (!checked.value) return err(`${kernelFile}: is a kernel without Hyper-V (CONFIG_HYPERV)`);
  }
  const initrd = readImage(file);
  return initrd.ok ? ok(ownInitrd(initrd.value)) : initrd;
}

function readImage(file: string): Result<Uint8Array, string> {
  try {
    return ok(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return err(`${file}: ${code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`}`);
  }
}

/** Of these files and of the emulator. Each part with its length before it, so that no two sets give the same bytes. */
function idOf(images: Omit<BootImages, 'id'>): string {
  const hash = createHash('sha256');
  const { release, cmdline, kernel, initrd, bios, vgaBios } = images;
  const emulator = readFileSync(modulePath());
  for (const part of [Buffer.from(release), Buffer.from(cmdline), kernel, initrd, bios, vgaBios, emulator])
    hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}
