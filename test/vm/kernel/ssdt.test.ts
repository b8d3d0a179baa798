import { expect, test } from 'vitest';
import { MMIO_WINDOW, vmbusSsdt } from '../../../src/vm/kernel/ssdt.ts';

/**
 * What Intel's compiler (iasl 20200925; `-f`, since "VMBUS" is no id of ACPI) makes behind the header of
 *
 *     Scope (\_SB) {
 *       Device (VMOD) {
 *         Name (_HID, "ACPI0004")
 *         Name (_UID, 0)
 *         Name (_CRS, ResourceTemplate () { DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable,
 *           ReadWrite, 0, 0xF8000000, 0xFBFFFFFF, 0, 0x04000000) })
 *         Device (VMBS) {
 *           Name (_STA, 0x0F)
 *           Name (_HID, "VMBUS")
 *           Name (_UID, 0)
 *           Name (_CRS, ResourceTemplate () { IRQNoFlags () {5} })
 *         }
 *       }
 *     }
 */
const COMPILED = [
  '1047075c5f53425f5b824e06564d4f44085f4849440d414350493030303400085f55494400085f435253111f0a1c8717',
  '00000c0300000000000000f8fffffffb000000000000000479005b822c564d4253085f5354410a0f085f4849440d564d',
  '42555300085f55494400085f43525311080a052220007900',
].join('');

const HEADER = 36;
const table = Buffer.from(vmbusSsdt());

test('the objects are byte for byte those of the compiler', () => {
  expect(table.subarray(HEADER).toString('hex')).toBe(COMPILED);
});

test('the header names the table, its length, and makes all bytes sum to 0', () => {
  expect(table.toString('latin1', 0, 4)).toBe('SSDT');
  expect(table.readUInt32LE(4)).toBe(table.length);
  expect(table.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
});

test('the window of the bus lies above any memory of the guest and below the IO-APIC', () => {
  const IO_APIC = 0xfec0_0000;
  expect(MMIO_WINDOW.last).toBeLessThan(IO_APIC);
  expect(MMIO_WINDOW.first).toBeGreaterThan(0xe000_0000);
});
