/**
 * A machine made live from a plan: host, bus, guest and user mode on one virtual clock.
 * What this leaves out: how a scenario's words act on it (`scenario/model-stage.ts`), and guests but Linux.
 */
import { known } from '../base/assert.ts';
import type { MacAddress } from '../base/mac.ts';
import { loadRecord, saveRecord } from '../base/snapshot.ts';
import { Bus } from '../bus/bus.ts';
import type { SyntheticModel, VfModel } from '../device-kit.ts';
import { LinuxGuest } from '../guest/linux/linux-guest.ts';
import { PROFILES, withFixes } from '../guest/linux/profile.ts';
import { Host, type HostRecord } from '../host/host.ts';
import { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Simulation } from '../sim/simulation.ts';
import type { Strategy } from '../sim/strategy.ts';
import { Recorder } from '../trace/recorder.ts';
import { startObservers } from '../user/observers.ts';
import type { NicPlan, Plan } from './plan.ts';

/** The devices that there are; `devices/` is known to the edge only, which hands it down. */
export interface Catalogue {
  readonly vfs: readonly VfModel[];
  readonly synthetics: readonly SyntheticModel[];
}

export interface MachineOptions {
  readonly trace?: Recorder | undefined;
  readonly strategy?: Strategy | undefined;
}

export class Machine {
  readonly plan: Plan;
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly host: Host;
  readonly guest: LinuxGuest;
  readonly latency: Latency;

  constructor(plan: Plan, catalogue: Catalogue, options: MachineOptions = {}) {
    this.plan = plan;
    const sim = new Simulation(options.trace ?? new Recorder(), options.strategy);
    this.sim = sim;
    this.latency = new Latency(plan.latency);
    this.bus = new Bus(sim, plan.transport);
    this.host = new Host(sim, this.bus, plan, catalogue, this.latency);
    this.guest = new LinuxGuest(sim, this.bus, {
      profile: withFixes(known(PROFILES[plan.guest], `guest ${plan.guest}`), plan.fixes),
      latency: this.latency,
      vfTraits: catalogue.vfs.map(traitsOf),
      devOf: (instance) => this.host.devOf(instance),
    });
    startObservers(plan.user, { sim, uapi: this.guest, latency: this.latency });
  }

  /** Connects the guest to its bus and loads the plan's modules; returns when the last one is loaded. */
  *boot(): Task {
    yield* this.guest.boot(this.plan.modules);
  }

  nic(name: string): NicPlan {
    return known(
      this.plan.nics.find((nic) => nic.name === name),
      `NIC ${name}`,
    );
  }

  macOf(name: string): MacAddress {
    return this.nic(name).mac;
  }

  /** Everything that belongs to host and bus, as text. To be called when nothing can run until time moves. */
  saveHost(): string {
    return saveRecord(this.host.save());
  }

  /** Puts a saved host and bus in the place of the present ones; the guest goes on as if nothing had happened. */
  loadHost(text: string): void {
    this.host.load(loadRecord<HostRecord>(text));
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
