/**
 * A real kernel on netvsim's own host: the processor runs a quantum, what it did to the bus is taken up by the host in
 * virtual time, and the two clocks go together. Time is skipped while both are asleep.
 * Contexts of the simulation (a scenario's, an operator's) run beside the host's workers.
 * What this leaves out: a second processor, and so sub-channels and races between processors; 64 bits, and so vPCI.
 */
import { assert, known } from '../base/assert.ts';
import { err, ok, type Result } from '../base/result.ts';
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
import { PciSlots } from './processor/pci-slots.ts';
import { Processor, type ProcessorImages } from './processor/processor.ts';
import { SerialLine } from './processor/serial-line.ts';
import { SynicPages } from './processor/synic-pages.ts';
import { VfNic } from './processor/vf-nic.ts';
import { DEFAULT_QUANTUM } from './processor/wasm-patch.ts';
import { inSlots } from './slots.ts';

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

/** With less the guest has no room for the buffers of two NICs. */
const DEFAULT_MEMORY_MB = 192;
const CHUNK = 2 ** 16;

/** Why {@link RealMachine.runUntil} came back. */
export type RunEnd =
  | 'held'
  | 'time'
  | 'slices'
  /** The kernel says that it has stopped. */
  | 'panic'
  /** The processor sleeps with interrupts off. */
  | 'stopped';

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
  /** Quanta that were run. */
  slices = 0;
  private readonly serials: readonly SerialLine[];
  private readonly enlightenments: Enlightenments;
  private stopped = false;

  private constructor(plan: RealPlan, catalogue: Catalogue, processor: Processor, trace: Recorder) {
    this.plan = plan;
    this.processor = processor;
    this.sim = new Simulation(trace);
    this.bus = new Bus(this.sim, 'bytes', new GuestMemory('bytes', (chunk) => this.chunkAt(chunk)));
    this.latency = new Latency(plan.latency);
    const pages = new SynicPages(processor, this.bus);
    this.enlightenments = new Enlightenments(processor, this.bus, pages, () => this.catchUp());
    processor.traps = this.enlightenments;
    this.host = new Host(this.sim, this.bus, { nics: plan.nics, vfBus: 'acpi' }, catalogue, this.latency);
    this.serials = [new SerialLine(processor, 0), new SerialLine(processor, 1)];
    this.console = new Console(known(this.serials[0], 'ttyS0'), () => processor.now);
    this.agent = new Agent(this.sim, known(this.serials[1], 'ttyS1'));
    this.makeVfs();
  }

  /** Switches a machine on; it has not run an instruction. Errors: what about plan or emulator does not fit. */
  static async create(
    plan: RealPlan,
    catalogue: Catalogue,
    images: MachineImages,
    options: RealOptions = {},
  ): Promise<Result<RealMachine, string>> {
    const { memoryMb = DEFAULT_MEMORY_MB, quantum = DEFAULT_QUANTUM, trace = new Recorder() } = options;
    const nics = inSlots(plan.nics);
    if (!nics.ok) return nics;
    const processor = await Processor.create(images, { memoryMb, quantum });
    if (!processor.ok) return processor;
    return ok(new RealMachine({ ...plan, nics: nics.value }, catalogue, processor.value, trace));
  }

  get now(): Nanoseconds {
    return this.processor.now;
  }

  /** What the kernel said when it stopped for good, if it has. */
  get panic(): string | undefined {
    return this.console.panic ?? (this.enlightenments.crash === undefined ? undefined : 'the kernel reports a crash');
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
      if (this.panic !== undefined) return 'panic';
      if (this.stopped) return 'stopped';
      if (this.now >= lastTime) return 'time';
      if (this.slices >= lastSlice) return 'slices';
      this.step(lastTime);
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

  /** The same in two machines means that their guests have come to the same. For tests. */
  memoryHash(): string {
    return this.processor.hash();
  }

  /** One quantum of the processor, and the host as far as that; or sleep to the next thing that happens. */
  private step(limit: Nanoseconds): void {
    this.feed();
    const { idle, stopped } = this.processor.slice();
    this.slices++;
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

  private makeVfs(): void {
    const { sim, bus, processor, plan } = this;
    const slots = new PciSlots(processor.cpu);
    const hotplug = new AcpiHotplug(processor.cpu);
    const nics = plan.nics
      .filter((nic) => nic.vf !== undefined)
      .map(({ name }, index) => {
        const fn = known(bus.functions.get(vfOf(name)), vfOf(name));
        const sent = (frame: Uint8Array): void => {
          this.catchUp();
          bus.deliverFrame(fn.name, frame);
        };
        return new VfNic({ sim, processor, slots, hotplug, fn, index, sent });
      });
    for (const nic of nics) nic.start();
    hotplug.onEject = (slot) => {
      this.catchUp();
      for (const nic of nics) if (nic.slot === slot) bus.deliverEjected(nic.fn.name);
      this.catchUp();
    };
  }
}

function* keepResult<T>(task: Task<T>, keep: (value: T) => void): Task {
  keep(yield* task);
}
