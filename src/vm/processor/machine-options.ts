/** What v86 makes its machine of, and what that has no room for. */
import type { V86Options } from 'v86';

/** What of the machine's memory and files it is made from. */
export interface ProcessorImages {
  readonly bios: Uint8Array;
  readonly vgaBios: Uint8Array;
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  readonly cmdline: string;
}

export interface ProcessorOptions {
  readonly memoryMb: number;
  /** Instructions between two looks for interrupts. */
  readonly quantum: number;
  /** It is to take a saved state over, and not to boot. */
  readonly isEmpty: boolean;
}

/** v86, src/kernel.js, load_kernel(): the kernel stands from the first megabyte on, and its initrd from 64 MiB on. */
const [KERNEL_AT, INITRD_AT] = [2 ** 20, 64 * 2 ** 20];
const WORD = 4;
/** In MB. v86 is one WebAssembly memory of 4 GiB at most, in which the machine's is a part. Invented. */
const MEMORY_MOST = 2048;

/** Where there is no room v86 would end the program, from a timer of its own. */
export function whyNotInMemory(
  { kernel, initrd }: ProcessorImages,
  { memoryMb, isEmpty }: ProcessorOptions,
): string | undefined {
  if (!Number.isInteger(memoryMb) || memoryMb < 1 || memoryMb > MEMORY_MOST)
    return `a memory of ${memoryMb} MB: 1 to ${MEMORY_MOST} can be`;
  if (isEmpty) return undefined;
  const inMb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  if (KERNEL_AT + kernel.length > INITRD_AT)
    return `the kernel does not fit: it has ${inMb(kernel.length)} MB, and there are 63 before the initrd`;
  const room = memoryMb * 2 ** 20 - INITRD_AT;
  if (initrd.length <= room) return undefined;
  return `the initrd does not fit: it has ${inMb(initrd.length)} MB, and of a memory of ${memoryMb} MB ${Math.max(0, memoryMb - 64)} are behind the kernel`;
}

/** The devices that v86 makes itself. Memory is in bytes; 1 MiB is the least that its VGA takes. */
export function machineOptions(images: ProcessorImages, { memoryMb, isEmpty }: ProcessorOptions): V86Options {
  const { kernel, initrd, cmdline } = images;
  const toBoot = { bzimage: { buffer: bufferOf(inWords(kernel)) }, initrd: { buffer: bufferOf(initrd) }, cmdline };
  return {
    ...(isEmpty ? {} : toBoot),
    acpi: true,
    memory_size: memoryMb * 2 ** 20,
    vga_memory_size: 2 ** 20,
    bios: { buffer: bufferOf(images.bios) },
    vga_bios: { buffer: bufferOf(images.vgaBios) },
    uart1: true,
    autostart: false,
    preserve_mac_from_state_image: true,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
  };
}

const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

/** v86 reads a kernel's head as words, and a signature behind a kernel can have any length. */
function inWords(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / WORD) * WORD);
  whole.set(bytes);
  return whole;
}
