/**
 * A real kernel on netvsim's own host: the processor runs a quantum, what it did to the bus is taken up by the host in
 * virtual time, and the two clocks go together. Time is skipped while both are asleep.
 * Contexts of the simulation (a scenario's, an operator's) run beside the host's workers.
 * What this leaves out: a second processor, and so sub-channels and races between processors; 64 bits, and so vPCI.
 */
import { assert, known } from '../base/assert.ts';
import { err, ok, type Result } from '../base/result.ts';
import { loadRecord, saveRecord } from '../base/snapshot.ts';
import type { Nanoseconds } from '../base/time.ts';
import { Bus } from '../bus/bus.ts';
import { GuestMemory } from '../bus/memory.ts';
import { Host } from '../host/host.ts';
import { type Catalogue, vfOf } from '../host/plan.ts';
import type { Plan } from '../machine/plan.ts';
import type { Context } from '../sim/context.ts';
import { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Simulation } from '../sim/simulation.ts';
import { Recorder } from '../trace/recorder.ts';
import { Agent } from './agent.ts';
import { Console } from './console.ts';
import { AcpiHotplug } from './processor/acpi-hotplug.ts';
import { Enlightenments } from './processor/enlightenments.ts';
import type { ProcessorImages } from './processor/machine-options.ts';
import { PciSlots } from './processor/pci-slots.ts';
import { Power } from './processor/power.ts';
import { Processor } from './processor/processor.ts';
import { SerialLine } from './processor/serial-line.ts';
import { SynicPages } from './processor/synic-pages.ts';
import { VfNic } from './processor/vf-nic.ts';
import { DEFAULT_QUANTUM } from './processor/wasm-patch.ts';
import type { GuestEnd, RunEnd } from './run-end.ts';
import { SLOTS, whyNotInSlots } from './slots.ts';
import {
  corrupt,
  decodeSnapshot,
  encodeSnapshot,
  type HostSideRecord,
  type MachineRecord,
  type Snapshot,
  type SnapshotProblem,
} from './snapshot.ts';

/** What of a plan there is in a machine whose guest brings itself along. */
export type RealPlan = Pick<Plan, 'nics' | 'latency'>;

/** What it boots from; `id` says which files these are. */
export interface MachineImages extends ProcessorImages {
  readonly id: string;
}

export interface RealOptions {
  readonly memoryMb?: number;
  /** Instructions between two looks for interrupts. */
  readonly quantum?: number;
  readonly trace?: Recorder;
}

interface Hardware {
  readonly processor: Processor;
  /** {@link MachineImages.id}. */
  readonly images: string;
  readonly memoryMb: number;
  readonly quantum: number;
}

/** With less the guest has no room for the buffers of two NICs. */
const DEFAULT_MEMORY_MB = 192;
const CHUNK = 2 ** 16;
/** How long a kernel that panics may go on to say why: a second, or less when it sleeps. Invented. */
const PANIC_SLICES = 10_000;

export interface RunBounds {
  /** How much virtual time may pass. */
  readonly time: Nanoseconds;
  readonly slices?: number;
}

export class RealMachine {
  readonly plan: RealPlan;
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly host: Host;
  readonly processor: Processor;
  readonly console: Console;
  readonly agent: Agent;
  readonly latency: Latency;
  /** Called behind each quantum, before the host comes to the processor's moment. */
  readonly sliceListeners: (() => void)[] = [];
  /** Quanta that were run. */
  slices = 0;
  private readonly hardware: Hardware;
  private readonly serials: readonly SerialLine[];
  private readonly enlightenments: Enlightenments;
  private readonly hotplug: AcpiHotplug;
  private readonly power: Power;
  private readonly cards: readonly VfNic[];
  /** Host and bus before anything was done to them. */
  private readonly untouched: string;
  private stopped = false;
  private lastTrap: string | undefined;

  private constructor(plan: RealPlan, catalogue: Catalogue, hardware: Hardware, trace: Recorder) {
    const { processor } = hardware;
    this.plan = plan;
    this.hardware = hardware;
    this.processor = processor;
    this.sim = new Simulation(trace);
    this.bus = new Bus(this.sim, 'bytes', new GuestMemory('bytes', (chunk) => this.chunkAt(chunk)));
    this.latency = new Latency(plan.latency);
    const pages = new SynicPages(processor, this.bus);
    this.enlightenments = new Enlightenments(processor, this.bus, pages, () => this.catchUp());
    processor.traps = this.enlightenments;
    this.host = new Host(this.sim, this.bus, { nics: plan.nics, vfSlots: SLOTS }, catalogue, this.latency);
    this.serials = [new SerialLine(processor, 0), new SerialLine(processor, 1)];
    this.console = new Console(known(this.serials[0], 'ttyS0'), () => processor.now);
    this.agent = new Agent(this.sim, known(this.serials[1], 'ttyS1'));
    this.hotplug = new AcpiHotplug(processor.cpu);
    this.power = new Power(processor.cpu);
    this.cards = this.makeCards();
    this.untouched = this.hostSideText();
  }

  /** Switches a machine on; it has not run an instruction. Errors: what about plan or emulator does not fit. */
  static async create(
    plan: RealPlan,
    catalogue: Catalogue,
    images: MachineImages,
    options: RealOptions = {},
  ): Promise<Result<RealMachine, string>> {
    const machine = await RealMachine.make(plan, catalogue, images, options, false);
    if (machine.ok) machine.value.startCards();
    return machine;
  }

  /**
   * A machine that goes on from a snapshot. One that was taken before the host had done anything fits any NICs, and
   * else those that it was taken with. Its memory is the snapshot's, and its quantum unless another is given.
   */
  static async restore(
    plan: RealPlan,
    catalogue: Catalogue,
    images: MachineImages,
    from: Uint8Array | Snapshot,
    options: Pick<RealOptions, 'trace' | 'quantum'> = {},
  ): Promise<Result<RealMachine, SnapshotProblem>> {
    const snapshot = from instanceof Uint8Array ? decodeSnapshot(from) : ok(from);
    if (!snapshot.ok) return snapshot;
    const { header, state } = snapshot.value;
    if (header.images !== images.id) {
      return err({ problem: 'other images', text: 'the snapshot is of another kernel, initrd, firmware or emulator' });
    }
    const { memoryMb, quantum } = header;
    const machine = await RealMachine.make(plan, catalogue, images, { memoryMb, quantum, ...options }, true);
    if (!machine.ok) return err({ problem: 'no machine', text: machine.error });
    const record = loadRecord<MachineRecord>(snapshot.value.record);
    const { hostSide } = record;
    if (hostSide !== undefined && hostSide.nics !== machine.value.nicsText) {
      return err({ problem: 'other NICs', text: 'the snapshot is of a machine with other NICs, and they are in use' });
    }
    try {
      machine.value.takeOver(record, from instanceof Uint8Array ? state : state.slice(0));
    } catch (error) {
      return corrupt(`it cannot be taken over (${(error as Error).message})`);
    }
    machine.value.startCards();
    return machine;
  }

  private static async make(
    plan: RealPlan,
    catalogue: Catalogue,
    images: MachineImages,
    { memoryMb = DEFAULT_MEMORY_MB, quantum = DEFAULT_QUANTUM, trace = new Recorder() }: RealOptions,
    isEmpty: boolean,
  ): Promise<Result<RealMachine, string>> {
    const problem = whyNotInSlots(plan.nics);
    if (problem !== undefined) return err(problem);
    const processor = await Processor.create(images, { memoryMb, quantum, isEmpty });
    if (!processor.ok) return processor;
    const hardware = { processor: processor.value, images: images.id, memoryMb, quantum };
    return ok(new RealMachine(plan, catalogue, hardware, trace));
  }

  get now(): Nanoseconds {
    return this.processor.now;
  }

  /** What the kernel said when it stopped for good, if it has. */
  get panic(): string | undefined {
    return this.console.panic ?? (this.enlightenments.crash === undefined ? undefined : 'the kernel reports a crash');
  }

  /** Why the emulated processor cannot go on, if it cannot. */
  get trap(): string | undefined {
    return this.lastTrap;
  }

  /** Whether nothing more is to be expected of the guest. */
  get ended(): GuestEnd | undefined {
    if (this.panic !== undefined) return 'panic';
    if (this.trap !== undefined) return 'trap';
    const { state } = this.power;
    if (state !== 'on') return state;
    return this.stopped ? 'stopped' : undefined;
  }

  /** Starts a context beside the host's. */
  spawn(name: string, task: Task<unknown>): Context {
    return this.sim.spawn(name, 'scenario', task);
  }

  /** Runs until a condition holds, which is looked at after each quantum, or a bound is reached. */
  runUntil(condition: () => boolean, { time, slices = Number.MAX_SAFE_INTEGER }: RunBounds): RunEnd {
    const [lastTime, lastSlice] = [this.now + time, this.slices + slices];
    for (;;) {
      if (condition()) return 'held';
      const end = this.ended;
      if (end === 'panic') this.hearPanicOut();
      if (end !== undefined) return end;
      if (this.now >= lastTime) return 'time';
      if (this.slices >= lastSlice) return 'slices';
      this.stepOrTrap(lastTime);
    }
  }

  /** Runs a task to its end; undefined, with the reason in `end`, when that is not reached. */
  runTask<T>(name: string, task: Task<T>, bounds: RunBounds): Result<T, Exclude<RunEnd, 'held'>> {
    let result: { readonly value: T } | undefined;
    this.spawn(
      name,
      keepResult(task, (value) => {
        result = { value };
      }),
    );
    const end = this.runUntil(() => result !== undefined, bounds);
    if (end !== 'held') return err(end);
    return ok((result as { readonly value: T } | undefined as { readonly value: T }).value);
  }

  /** The machine as bytes, for {@link restore}; or why it cannot be saved at this moment. */
  save(): Result<Uint8Array, string> {
    if (this.agent.busy) return err('a command is running in the guest');
    const own = [...this.sim.alive()].filter(({ daemon }) => !daemon).map(({ name }) => name);
    if (own.length > 0) return err(`what runs beside the machine cannot be saved: ${own.join(', ')}`);
    const { images, memoryMb, quantum } = this.hardware;
    const record: MachineRecord = {
      clock: this.processor.saveClock(),
      slices: this.slices,
      steps: this.sim.steps,
      enlightenments: this.enlightenments.save(),
      hotplug: this.hotplug.save(),
      serials: this.serials.map((serial) => serial.save()),
      console: this.console.save(),
      agent: this.agent.save(),
      hostSide: this.hostSideText() === this.untouched ? undefined : this.saveHostSide(),
    };
    // The emulator does not know that a card can be out of its slot.
    for (const card of this.cards) card.withdraw();
    const state = this.processor.saveState();
    for (const card of this.cards) card.putBack();
    return ok(encodeSnapshot({ images, memoryMb, quantum }, record, state));
  }

  /** The same in two machines means that their guests have come to the same. For tests. */
  memoryHash(): string {
    return this.processor.hash();
  }

  /** Lets a kernel that panics say why. */
  private hearPanicOut(): void {
    const last = this.slices + PANIC_SLICES;
    const canSpeak = (): boolean => !this.console.hasPanicked && !this.stopped && this.trap === undefined;
    while (canSpeak() && this.slices < last) this.stepOrTrap(Number.MAX_SAFE_INTEGER);
    this.console.hasPanicked = true;
  }

  /** A guest can do what the emulator has no answer to; that is the end of the guest, and no bug of ours. */
  private stepOrTrap(limit: Nanoseconds): void {
    try {
      this.step(limit);
    } catch (error) {
      const trap = this.processor.trapOf(error);
      if (trap === undefined) throw error;
      this.lastTrap = trap;
    }
  }

  /** One quantum of the processor, and the host as far as that; or sleep to the next thing that happens. */
  private step(limit: Nanoseconds): void {
    this.feed();
    const { idle, stopped } = this.processor.slice();
    this.slices++;
    for (const listener of this.sliceListeners) listener();
    const hasWork = this.catchUp();
    this.stopped = stopped && !hasWork;
    if (idle === undefined || hasWork || this.feed()) return;
    const deadline = this.sim.clock.nextDeadline() ?? Number.MAX_SAFE_INTEGER;
    const until = Math.min(this.now + idle, deadline, Math.max(limit, this.now + 1));
    this.processor.skip(Math.max(1, until - this.now));
    this.catchUp();
  }

  /** Lets the host and all others come to the processor's moment; true when any of them did something. */
  private catchUp(): boolean {
    if (this.processor.hasMoved) this.bus.memory.refresh();
    const { sim } = this;
    const { now } = this.processor;
    const { steps } = sim;
    assert(now >= sim.clock.now, `the host is at ${sim.clock.now} ns, and the processor at ${now} ns`);
    sim.run({ until: now });
    // With no timer set the simulation does not say how late it is.
    sim.clock.now = now;
    return sim.steps !== steps;
  }

  private feed(): boolean {
    let fed = false;
    for (const serial of this.serials) fed = serial.feed() || fed;
    return fed;
  }

  private chunkAt(chunk: number): Uint8Array | undefined {
    const { ram } = this.processor;
    return (chunk + 1) * CHUNK <= ram.length ? ram.subarray(chunk * CHUNK, (chunk + 1) * CHUNK) : undefined;
  }

  private makeCards(): readonly VfNic[] {
    const { sim, bus, processor, plan, hotplug } = this;
    const slots = new PciSlots(processor.cpu);
    const cards = plan.nics
      .filter((nic) => nic.vf !== undefined)
      .map(({ name }, index) => {
        const fn = known(bus.functions.get(vfOf(name)), vfOf(name));
        const sent = (frame: Uint8Array): void => {
          this.catchUp();
          bus.deliverFrame(fn.name, frame);
        };
        return new VfNic({ sim, processor, slots, hotplug, fn, index, sent });
      });
    hotplug.onEject = (slot) => {
      this.catchUp();
      for (const card of cards) if (card.slot === slot) bus.deliverEjected(card.fn.name);
      this.catchUp();
    };
    return cards;
  }

  private startCards(): void {
    for (const card of this.cards) card.start();
  }

  private takeOver(record: MachineRecord, state: ArrayBuffer): void {
    const { sim, processor } = this;
    processor.restoreState(state, record.clock);
    this.bus.memory.refresh();
    sim.clock.now = processor.now;
    sim.steps = record.steps;
    this.slices = record.slices;
    this.enlightenments.restore(record.enlightenments);
    this.hotplug.restore(record.hotplug);
    for (const [i, serial] of record.serials.entries()) this.serials[i]?.restore(serial);
    this.console.restore(record.console);
    this.agent.restore(record.agent);
    const { hostSide } = record;
    if (hostSide === undefined) return;
    for (const [i, card] of hostSide.cards.entries()) this.cards[i]?.restore(card);
    this.bus.load(hostSide.bus);
    this.host.load(hostSide.host);
  }

  private saveHostSide(): HostSideRecord {
    const cards = this.cards.map((card) => card.save());
    return { nics: this.nicsText, host: this.host.save(), bus: this.bus.save(), cards };
  }

  /** What tells a host that has done something from one that has not. A card's own memory is no part of that. */
  private hostSideText(): string {
    return saveRecord({ host: this.host.save(), bus: this.bus.save() });
  }

  private get nicsText(): string {
    return JSON.stringify(this.plan.nics);
  }
}

function* keepResult<T>(task: Task<T>, keep: (value: T) => void): Task {
  keep(yield* task);
}
