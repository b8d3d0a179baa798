/**
 * Which of the guest's interfaces, VMBus devices and PCI slots is which device of the scenario. A synthetic NIC and its
 * VF have the same MAC address: what tells them apart is the bus that they hang on.
 */
import type { Guid } from '../../base/guid.ts';
import { vfOf } from '../../host/plan.ts';
import type { RealMachine } from '../real-machine.ts';
import type { GuestInterface } from './interfaces.ts';
import type { LogNames } from './kernel-log.ts';

/** Names of the scenario for what the guest's kernel names. */
export interface DeviceNames extends LogNames {
  isNic(dev: string): boolean;
  /** The address of a device of the plan, empty for another. A VF has that of its NIC. */
  macOf(dev: string): string;
}

export class Devices implements DeviceNames {
  private readonly machine: RealMachine;
  /** Slots that a VF has stood in: what is said of one may be heard when the VF has gone. */
  private readonly slots = new Map<number, string>();

  constructor(machine: RealMachine) {
    this.machine = machine;
    machine.sim.trace.listen(() => this.noteSlots(), ['host.vf']);
  }

  nicOf(guid: string): string | undefined {
    const dev = this.machine.host.devOf(guid as Guid);
    return this.names().includes(dev) ? dev : undefined;
  }

  vfIn(slot: number): string | undefined {
    this.noteSlots();
    return this.slots.get(slot);
  }

  /** Undefined for an interface that is none of the plan's. */
  devOf({ mac, bus }: GuestInterface): string | undefined {
    const nic = this.machine.plan.nics.find((one) => one.mac === mac)?.name;
    if (nic === undefined) return undefined;
    if (bus === 'vmbus') return nic;
    return bus === 'pci' ? vfOf(nic) : undefined;
  }

  isNic(dev: string): boolean {
    return this.names().includes(dev);
  }

  macOf(dev: string): string {
    return this.machine.plan.nics.find(({ name }) => name === dev || vfOf(name) === dev)?.mac ?? '';
  }

  private names(): readonly string[] {
    return this.machine.plan.nics.map(({ name }) => name);
  }

  private noteSlots(): void {
    for (const name of this.names()) {
      const serial = this.machine.bus.functions.get(vfOf(name))?.identity?.serial;
      if (serial !== undefined) this.slots.set(serial, vfOf(name));
    }
  }
}
