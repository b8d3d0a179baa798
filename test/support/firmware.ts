/** Firmware of one's own for the emulated processor: machines that boot without a kernel, and do one thing. */

/** cli; mov eax, cr0; or al, 1; mov cr0, eax; int3: protected mode with no table of interrupts, and an interrupt. */
export const INTO_NOWHERE = [0xfa, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xcc];

/**
 * mov eax, 0x8000f010; mov dx, 0xcf8; out dx, eax; xor eax, eax; mov dl, 0xfc; out dx, eax; and the same of 0x8000f014:
 * two windows of the disk controller. v86 does not take them back as they are at first, and any firmware changes them.
 */
const WINDOWS = [0x10, 0x14].flatMap((register) => [
  ...[0x66, 0xb8, register, 0xf0, 0x00, 0x80, 0xba, 0xf8, 0x0c, 0x66, 0xef],
  ...[0x66, 0x31, 0xc0, 0xb2, 0xfc, 0x66, 0xef],
]);
/** cli; hlt */
export const ASLEEP = [...WINDOWS, 0xfa, 0xf4];

/** jmp f000:0000 */
const TO_THE_BEGINNING = [0xea, 0x00, 0x00, 0x00, 0xf0];
/** Where a processor begins, in the last 64 KB below 1 MB. Intel SDM volume 3, 10.1.4. */
const RESET_VECTOR = 0xfff0;

/** 64 KB with this code in them. */
export function firmware(code: readonly number[]): Buffer {
  const bios = Buffer.alloc(2 ** 16);
  bios.set(code);
  bios.set(TO_THE_BEGINNING, RESET_VECTOR);
  return bios;
}
