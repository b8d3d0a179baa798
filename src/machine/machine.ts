/**
 * A machine made live from a plan: host, bus, guest and user mode on one virtual clock.
 * What this leaves out: how a scenario's words act on it (`scenario/model-stage.ts`).
 */
import { known } from '../base/assert.ts';
import { loadRecord, saveRecord } from '../base/snapshot.ts';
import { Bus, type BusRecord } from '../bus/bus.ts';
import type { VfModel } from '../device-kit.ts';
import type { DriverFactory } from '../guest/linux/modules.ts';
import type { Guest } from '../guest/uapi/guest.ts';
import { Host, type HostRecord } from '../host/host.ts';
import type { Catalogue } from '../host/plan.ts';
import { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Simulation, type TaskGuard } from '../sim/simulation.ts';
import type { Strategy } from '../sim/strategy.ts';
import { Recorder } from '../trace/recorder.ts';
import { makeGuest } from './guests.ts';
import type { NicPlan, Plan } from './plan.ts';

export type { Catalogue };

export interface MachineOptions {
  readonly trace?: Recorder | undefined;
  readonly strategy?: Strategy | undefined;
  /** Modules of the guest beside its own, or in the place of those that have the same name. */
  readonly drivers?: readonly DriverFactory[] | undefined;
  readonly guard?: TaskGuard | undefined;
}

export class Machine {
  readonly plan: Plan;
  readonly sim: Simulation;
  readonly bus: Bus;
  host: Host;
  readonly guest: Guest;
  readonly latency: Latency;
  private readonly catalogue: Catalogue;

  constructor(plan: Plan, catalogue: Catalogue, options: MachineOptions = {}) {
    this.plan = plan;
    const sim = new Simulation(options.trace ?? new Recorder(), options.strategy, options.guard);
    this.sim = sim;
    this.latency = new Latency(plan.latency);
    this.bus = new Bus(sim, plan.transport);
    this.catalogue = catalogue;
    this.host = this.makeHost();
    this.guest = makeGuest(plan, {
      sim,
      bus: this.bus,
      latency: this.latency,
      vfTraits: catalogue.vfs.map(traitsOf),
      drivers: options.drivers ?? [],
      devOf: (instance) => this.host.devOf(instance),
    });
  }

  /** Connects the guest to its bus and loads the plan's modules; returns when the last one is loaded. */
  *boot(): Task {
    yield* this.guest.boot(this.plan.modules);
  }

  /** A NIC of the plan, with the number of the subnet that its port of the switch has. */
  nic(name: string): NicPlan & { readonly subnet: number } {
    const at = this.plan.nics.findIndex((nic) => nic.name === name);
    return { ...known(this.plan.nics[at], `NIC ${name}`), subnet: at + 1 };
  }

  /** Everything that belongs to host and bus, as text. To be called when nothing can run until time moves. */
  saveHost(): string {
    return saveRecord({ bus: this.bus.save(), host: this.host.save() });
  }

  /** Puts a host that was saved, with its bus, in the place of the present one; the guest goes on as if nothing was. */
  loadHost(text: string): void {
    const { bus, host } = loadRecord<{ readonly bus: BusRecord; readonly host: HostRecord }>(text);
    const before = this.host;
    before.dispose();
    this.host = this.makeHost();
    this.bus.load(bus);
    this.host.load(host, before);
  }

  private makeHost(): Host {
    return new Host(this.sim, this.bus, this.plan, this.catalogue, this.latency);
  }
}

const traitsOf = ({ pci, timing, mtu }: VfModel) => ({
  vendor: pci.vendor,
  device: pci.device,
  probe: timing.probe,
  link: timing.link,
  stop: timing.stop,
  mtuMin: mtu.min,
  mtuMax: mtu.max,
});
