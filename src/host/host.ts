/**
 * The Hyper-V host as one piece: its workers, what an operator can make it do, and its state as a record.
 * What this leaves out: more than one guest; everything else is left out where it would be.
 */
import { assert, known } from '../base/assert.ts';
import type { Guid } from '../base/guid.ts';
import type { MacAddress } from '../base/mac.ts';
import type { Bus } from '../bus/bus.ts';
import type { VfModel } from '../device-kit.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import { WaitCell } from '../sim/wait-cell.ts';
import type { Path } from '../trace/event.ts';
import type { Ipv4Address } from '../wire/ipv4.ts';
import type { HostAction } from './action.ts';
import { type HostFault, isOfVmbus, problemWithFault } from './fault-points.ts';
import type { HostItem, OpenChannel, PingPlan, StreamPlan } from './item.ts';
import { type NicState, newNic, type PciPhase } from './nic-state.ts';
import { NicWorker } from './nic-worker.ts';
import {
  type Catalogue,
  findSynthetic,
  findVf,
  type HostPlan,
  nicInstance,
  SERVICING,
  SWITCH,
  type VfSlots,
  VMBUS,
  vfInstance,
  vfOf,
  whyNoSerial,
  workerOf,
} from './plan.ts';
import { newServicing, Servicing, type ServicingState } from './servicing.ts';
import { emptySwitch, type SwitchState, VirtualSwitch } from './switch.ts';
import { VmbusServer } from './vmbus-server.ts';
import { emptyVmbus, type VmbusState } from './vmbus-state.ts';
import { type Surroundings, Worker, type WorkerRecord } from './worker.ts';

export interface HostRecord {
  readonly workers: Readonly<Record<string, WorkerRecord<unknown>>>;
  readonly nextTicket: number;
}

export type Refused = { readonly refused: string } | undefined;

export class Host {
  private readonly around: Surroundings;
  private readonly catalogue: Catalogue;
  private readonly vfSlots: VfSlots | undefined;
  private readonly nics = new Map<string, Worker<NicState>>();
  private readonly vmbus: Worker<VmbusState>;
  private readonly switch: Worker<SwitchState>;
  private readonly servicing: Worker<ServicingState>;
  private readonly devs = new Map<Guid, string>();
  private nextTicket = 1;

  constructor(sim: Simulation, bus: Bus, plan: HostPlan, catalogue: Catalogue, latency: Latency) {
    this.around = { sim, bus, latency, tickets: new Map() };
    this.catalogue = catalogue;
    this.vfSlots = plan.vfSlots;
    const models = plan.nics.map((nic) => findSynthetic(catalogue, nic.synthetic));
    const versionMax = Math.max(0, ...models.map((model) => model.versions.vmbus));
    this.vmbus = new Worker(this.around, VMBUS, emptyVmbus(), (worker) => new VmbusServer(worker, versionMax));
    this.switch = new Worker(this.around, SWITCH, emptySwitch(), (worker) => new VirtualSwitch(worker, plan));
    this.servicing = new Worker(this.around, SERVICING, newServicing(plan), (worker) => new Servicing(worker, plan));
    plan.nics.forEach((nic, index) => {
      this.devs.set(nicInstance(index), nic.name);
      this.devs.set(vfInstance(index), vfOf(nic.name));
      const model = known(models[index], nic.synthetic);
      const familyOf = (name: string): VfModel => findVf(catalogue, name);
      const parts = { plan: nic, index, model, familyOf, vfSlots: plan.vfSlots };
      if (nic.vf !== undefined) findVf(catalogue, nic.vf);
      assert(nic.serial > 0 && nic.pciSerial > 0, `${nic.name}: 0 is no serial number of a VF`);
      this.nics.set(
        nic.name,
        new Worker(this.around, workerOf(nic.name), newNic(nic), (worker) => new NicWorker(worker, parts)),
      );
    });
  }

  /** Asks the host to do it and waits until it has taken it up, or has said why not. */
  *act(action: HostAction): Task<Refused> {
    const problem = this.problemWith(action);
    if (problem !== undefined) {
      this.around.sim.trace.emit({ kind: 'host.refused', dev: 'host', what: action.do, why: problem });
      return { refused: problem };
    }
    const ticket = this.nextTicket++;
    const cell = new WaitCell<{ readonly refused?: string }>(this.around.sim, `host's answer to ${action.do}`);
    this.around.tickets.set(ticket, cell);
    yield* this.around.bus.mailbox<HostItem>(takerOf(action)).put({ what: 'action', action, ticket });
    const answer = yield* cell.wait();
    return answer?.refused === undefined ? undefined : { refused: answer.refused };
  }

  /** A station on the switch sends frames to a NIC from now on. */
  *startStream(stream: StreamPlan): Task {
    assert(stream.every > 0, `${stream.flow}: a stream of a frame every ${stream.every} ns`);
    yield* this.around.bus.mailbox<HostItem>(SWITCH).put({ what: 'start-stream', stream });
  }

  *stopStream(flow: string): Task {
    yield* this.around.bus.mailbox<HostItem>(SWITCH).put({ what: 'stop-stream', flow });
  }

  /** From now on the pings of a NIC to the flow's station are the frames of this flow. */
  *countPings(pings: PingPlan): Task {
    yield* this.around.bus.mailbox<HostItem>(SWITCH).put({ what: 'count-pings', pings });
  }

  /** The scenario's name of the device that an offer is for. */
  devOf(instance: Guid): string {
    return this.devs.get(instance) ?? instance;
  }

  // -- for reports: they only look --

  pathOf(nic: string): Path {
    return this.nic(nic).path;
  }

  /** How far the PCI side of the VF has come. */
  vfStateOf(nic: string): PciPhase['at'] {
    return this.nic(nic).vf.pci.at;
  }

  /** What the host knows of a NIC. */
  stateOf(nic: string): Readonly<NicState> {
    return this.nic(nic);
  }

  /** The addresses that were given out, by client. */
  get leases(): ReadonlyMap<MacAddress, Ipv4Address> {
    return this.switch.state.leases;
  }

  /** The channels that the guest has opened and that are not taken back, of every NIC and every VF. */
  openChannels(): readonly OpenChannel[] {
    return [...this.nics.values()].flatMap(({ state: { presence, channel, vf } }) => [
      ...(channel === undefined || presence !== 'offered' ? [] : [channel]),
      ...('channel' in vf.pci ? [vf.pci.channel] : []),
    ]);
  }

  /** The sequence numbers of a NIC's pings that the station has answered, in that order. */
  answeredPings(nic: string): readonly number[] {
    return this.switch.state.pings.get(nic)?.answered ?? [];
  }

  get servicingDone(): boolean {
    const { phase, done } = this.servicing.state;
    return done > 0 && phase.at === 'idle';
  }

  /** Its whole state, as plain records; together with the bus's it is all there is. Take it when nothing can run. */
  save(): HostRecord {
    const workers = Object.fromEntries(this.workers().map((worker) => [worker.name, worker.record]));
    return structuredClone({ workers, nextTicket: this.nextTicket });
  }

  /** Goes on from a saved state; `waiting` are those who wait for an answer of the host that was saved. */
  load(record: HostRecord, waiting?: Host): void {
    for (const [ticket, cell] of waiting?.around.tickets ?? []) this.around.tickets.set(ticket, cell);
    this.nextTicket = record.nextTicket;
    const { workers } = structuredClone(record);
    for (const worker of this.workers()) worker.load(known(workers[worker.name], `the record of ${worker.name}`));
  }

  /** Ends all workers, so that another host can go on in their place. */
  dispose(): void {
    for (const worker of this.workers()) worker.dispose();
  }

  private workers(): Worker<unknown>[] {
    return [this.vmbus, this.switch, this.servicing, ...this.nics.values()] as Worker<unknown>[];
  }

  private nic(name: string): NicState {
    return known(this.nics.get(name), name).state;
  }

  private problemWith(action: HostAction): string | undefined {
    if ('nic' in action && !this.nics.has(action.nic)) return `there is no NIC ${action.nic}`;
    const family = 'family' in action ? action.family : undefined;
    if (family !== undefined && !this.catalogue.vfs.some((model) => model.name === family)) {
      return `there is no VF model ${family}`;
    }
    if ('serial' in action && typeof action.serial === 'number') {
      const problem = whyNoSerial(action.serial, this.vfSlots);
      if (problem !== undefined) return problem;
    }
    return action.do === 'arm-fault' ? this.problemWithFault(action.nic, action.fault) : undefined;
  }

  private problemWithFault(nic: string, fault: HostFault): string | undefined {
    const isVf = fault.dev === vfOf(nic);
    if (!isVf && fault.dev !== nic) return `${fault.dev} is no device of ${nic}`;
    if (isVf && !this.around.bus.functions.has(fault.dev)) return `${nic} has no VF in the plan`;
    return problemWithFault(fault, isVf ? 'vf' : 'nic');
  }
}

/** The worker that an action is for. */
function takerOf(action: HostAction): string {
  if (action.do === 'update-firmware') return SERVICING;
  return action.do === 'arm-fault' && isOfVmbus(action.fault) ? VMBUS : workerOf(action.nic);
}
