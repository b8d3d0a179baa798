/**
 * Whether the guest has switched its machine off, or wants it to begin anew.
 * Source: ACPI specification 6.4, 4.8.3.2.1 (PM1 control: SLP_TYP, SLP_EN); SeaBIOS src/fw/acpi-dsdt.dsl (_S5 is type 0
 * on PIIX4, the block is at 0xb000); v86 0.5.462, src/acpi.js, which does nothing of it, and CPU.reboot_internal() in
 * src/cpu.js, which every way to a reset ends in.
 * What this leaves out: sleep states, and the reset itself: the machine ends there.
 */
import type { V86Cpu } from './v86-parts.ts';

const PM1_CONTROL = 0xb004;
const SLEEP_ENABLE = 1 << 13;
const SLEEP_TYPE = 7 << 10;
const SOFT_OFF = 0;

export class Power {
  state: 'on' | 'off' | 'reset' = 'on';

  constructor(cpu: V86Cpu) {
    const entry = cpu.io.ports[PM1_CONTROL];
    const write = entry?.write16;
    if (entry !== undefined) {
      entry.write16 = (value) => {
        write?.call(entry.device, value);
        if ((value & SLEEP_ENABLE) !== 0 && (value & SLEEP_TYPE) === SOFT_OFF) this.state = 'off';
      };
    }
    cpu.reboot_internal = () => {
      this.state = 'reset';
    };
  }
}
