import { syntheticModels, vfModels } from '../../devices/index.ts';
import { mac } from '../../src/base/mac.ts';
import type { Nanoseconds } from '../../src/base/time.ts';
import type { SyntheticModel } from '../../src/device-kit.ts';
import { changeFlags } from '../../src/guest/linux/device.ts';
import type { DriverFactory } from '../../src/guest/linux/modules.ts';
import type { Netdev } from '../../src/guest/linux/netdev.ts';
import type { Fix } from '../../src/guest/linux/profile.ts';
import type { Errno } from '../../src/guest/uapi/errno.ts';
import { IFF } from '../../src/guest/uapi/linux.ts';
import type { GuestCommand } from '../../src/guest/uapi/uapi.ts';
import type { HostAction, RevokeOrder, VfChoice } from '../../src/host/action.ts';
import { flowStationIp } from '../../src/host/stations.ts';
import { linuxOf } from '../../src/machine/guests.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { NicPlan, Plan } from '../../src/machine/plan.ts';
import type { ContextSide } from '../../src/sim/context.ts';
import type { LatencyRow } from '../../src/sim/latency.ts';
import type { Task } from '../../src/sim/operation.ts';
import { describeStuck, findStuck } from '../../src/sim/stuck.ts';
import type { Event, EventKind, EventOf } from '../../src/trace/event.ts';
import { keep, Recorder } from '../../src/trace/recorder.ts';
import { Flow, type FlowSpec } from '../../src/user/flows.ts';
import { ipv4Address } from '../../src/wire/ipv4.ts';
import { type StoryKind, storyOf } from './story.ts';

/** What a test can want otherwise. Every field has a default, so that each one that is set means something. */
export interface MachineChoice {
  /** How many NICs, nic1, nic2 ..., each with serial number 1, 2 ...; or what is special about each of them. */
  readonly nics?: number | readonly Partial<NicPlan>[];
  readonly guest?: string;
  readonly fixes?: Readonly<Partial<Record<Fix, boolean>>>;
  /** Family of every NIC's VF. */
  readonly vf?: string;
  /** Modules that are loaded at boot. */
  readonly modules?: readonly string[];
  readonly user?: readonly string[];
  /** Modules beside the guest's own. */
  readonly drivers?: readonly DriverFactory[];
  readonly latency?: Readonly<Partial<Record<LatencyRow, Nanoseconds>>>;
  readonly transport?: Plan['transport'];
  /** Highest versions that the host takes. */
  readonly versions?: Partial<SyntheticModel['versions']>;
}

const STEPS_MAX = 2_000_000;

/** What became of a command: `waits` when it cannot go on although nothing is left to happen. */
export type Outcome = 'done' | 'waits' | Errno;

/** A machine that has booted and come to rest, with nothing offered yet. */
export function machine(choice: MachineChoice = {}): TestMachine {
  return new TestMachine(choice);
}

export class TestMachine {
  readonly machine: Machine;
  readonly host: HostOperator;
  readonly guest: GuestOperator;
  private readonly all: readonly Event[];
  private from = 0;

  constructor(choice: MachineChoice) {
    const trace = new Recorder();
    this.all = keep(trace);
    const synthetics = syntheticModels.map((model) => ({
      ...model,
      versions: { ...model.versions, ...choice.versions },
    }));
    this.machine = new Machine(planOf(choice), { vfs: vfModels, synthetics }, { trace, drivers: choice.drivers });
    this.host = new HostOperator(this);
    this.guest = new GuestOperator(this);
    this.run('boot', 'guest', this.machine.boot());
    this.settle();
  }

  get sim() {
    return this.machine.sim;
  }

  get kernel() {
    return linuxOf(this.machine).kernel;
  }

  /** Runs until nothing is left to happen. */
  settle(): void {
    if (this.sim.run({ stepsMax: this.sim.steps + STEPS_MAX }) === 'steps') throw new Error('it never comes to rest');
  }

  /** Lets a span of time pass. */
  pass(span: Nanoseconds): void {
    this.sim.run({ until: this.sim.now + span });
  }

  /** Runs up to the step after which something is so; false when it never is. */
  until(isSo: () => boolean): boolean {
    return isSo() || this.sim.run({ enough: isSo }) === 'asked';
  }

  /** Runs up to the first event, among those that are still to come, that looks like this. */
  untilEvent<K extends EventKind>(kind: K, like: Partial<EventOf<K>> = {}): void {
    let at = this.all.length;
    const isLike = (event: Event): boolean =>
      event.kind === kind && Object.entries(like).every(([key, value]) => event[key as keyof Event] === value);
    const found = this.until(() => {
      while (at < this.all.length) if (isLike(this.all[at++] as Event)) return true;
      return false;
    });
    if (!found) throw new Error(`no ${kind} like ${JSON.stringify(like)} ever comes`);
  }

  /** Runs a task to its end, or until it is clear that it has none; what it gave. */
  run<T>(name: string, side: ContextSide, task: Task<T>): T | 'waits' {
    const ended = this.start(name, side, task);
    this.until(() => ended.result !== 'waits');
    return ended.result;
  }

  /** Starts a task, and lets the test say when things go on. */
  start<T>(name: string, side: ContextSide, task: Task<T>): { readonly result: T | 'waits' } {
    const box: { result: T | 'waits' } = { result: 'waits' };
    this.sim.spawn(
      name,
      side,
      (function* () {
        box.result = yield* task;
      })(),
    );
    return box;
  }

  /** A measured flow on a NIC, named after its kind; it runs until the test ends, so let time pass instead of settling. */
  flow(kind: FlowSpec['kind'], nic: string, every: Nanoseconds) {
    const { guest, host } = this.machine;
    const { mac: address, subnet } = this.machine.nic(nic);
    const ip = ipv4Address(`10.0.${subnet}.251`);
    const spec = {
      name: kind,
      kind,
      dev: nic,
      mac: address,
      every,
      bytes: 128,
      address: ip,
      station: flowStationIp(subnet),
    };
    const flow = new Flow(this.sim, guest, spec, {
      ifname: () => guest.netdevOf(nic)?.name,
      pathNow: () => guest.pathOf(nic),
    });
    if (kind === 'stream') this.run('stream', 'scenario', host.startStream({ flow: kind, nic, every, bytes: 128 }));
    return { flow, ledger: this.sim.trace.frames.flow(kind) };
  }

  /** From here on only what is new is told. */
  forget(): void {
    this.from = this.all.length;
  }

  events<K extends EventKind>(kind: K): readonly EventOf<K>[] {
    return this.all.slice(this.from).filter((event) => event.kind === kind) as unknown as readonly EventOf<K>[];
  }

  /** The kernel's log; of one device, or `nic1: text` of all. */
  log(dev?: string): readonly string[] {
    const lines = this.events('log').filter((line) => dev === undefined || line.dev === dev);
    return lines.map((line) => (dev === undefined ? `${line.dev}: ${line.text}` : line.text));
  }

  /** What was told of these kinds, in order, in short. */
  story(...kinds: StoryKind[]): readonly string[] {
    return storyOf(this.all.slice(this.from), kinds);
  }

  /** Messages of one side on a channel, by name. */
  wire(kind: 'vmbus.message' | 'nvsp.message' | 'rndis.message' | 'vpci.message', from: 'guest' | 'host'): string[] {
    return this.events(kind).flatMap((event) => (event.from === from ? [event.name] : []));
  }

  /** What a context waits for now. */
  stuckIn(context: string): string {
    const waiters = findStuck(this.sim)?.waiters ?? [];
    return waiters.find((waiter) => waiter.context === context)?.waitsFor ?? '';
  }

  /** Who waits for ever, in words; empty when nobody does. */
  stuck(): string {
    const report = findStuck(this.sim);
    return report === undefined ? '' : describeStuck(report);
  }
}

/** What an operator makes the host do. Each verb returns when the host has taken it up. */
class HostOperator {
  private readonly on: TestMachine;

  constructor(on: TestMachine) {
    this.on = on;
  }

  act(action: HostAction): string | undefined {
    const done = this.on.run('operator', 'scenario', this.on.machine.host.act(action));
    return done === 'waits' ? 'waits' : done?.refused;
  }

  offer(nic = 'nic1') {
    return this.act({ do: 'offer', nic });
  }

  rescind(nic = 'nic1') {
    return this.act({ do: 'rescind', nic });
  }

  plug(nic = 'nic1', choice: VfChoice = {}) {
    return this.act({ do: 'plug-vf', nic, ...choice });
  }

  associate(nic = 'nic1') {
    return this.act({ do: 'associate', nic });
  }

  disassociate(nic = 'nic1') {
    return this.act({ do: 'disassociate', nic });
  }

  offerVf(nic = 'nic1', choice: VfChoice = {}) {
    return this.act({ do: 'offer-vf', nic, ...choice });
  }

  revoke(nic = 'nic1', order: RevokeOrder = 'eject-first') {
    return this.act({ do: 'revoke-vf', nic, order });
  }

  vfLink(nic: string, up: boolean) {
    return this.act({ do: 'vf-link', nic, up });
  }

  pathOf(nic = 'nic1') {
    return this.on.machine.host.pathOf(nic);
  }

  vfStateOf(nic = 'nic1') {
    return this.on.machine.host.vfStateOf(nic);
  }
}

type LinkVerb =
  | { readonly do: 'up' | 'down' }
  | { readonly do: 'mtu'; readonly mtu: number }
  | { readonly do: 'rename' | 'move-netns'; readonly to: string };

/** What an administrator does in the guest, by the scenario's names, and what a test sees there. */
class GuestOperator {
  private readonly on: TestMachine;

  constructor(on: TestMachine) {
    this.on = on;
  }

  /** Waits until the device is there, then runs the command to its end. */
  link(dev: string, verb: LinkVerb): Outcome {
    if (!this.on.until(() => this.find(dev)?.state === 'registered')) return 'ENODEV';
    const { name: ifname, netns } = this.netdev(dev);
    return this.execute({ ...verb, ifname, netns: netns?.name ?? '' } as GuestCommand);
  }

  execute(command: GuestCommand): Outcome {
    const done = this.on.run('ip', 'guest', this.on.machine.guest.execute(command));
    if (done === 'waits') return 'waits';
    return done.ok ? 'done' : done.error;
  }

  up(dev: string) {
    return this.link(dev, { do: 'up' });
  }

  down(dev: string) {
    return this.link(dev, { do: 'down' });
  }

  mtu(dev: string, mtu: number) {
    return this.link(dev, { do: 'mtu', mtu });
  }

  rename(dev: string, to: string) {
    return this.link(dev, { do: 'rename', to });
  }

  move(dev: string, to: string) {
    return this.link(dev, { do: 'move-netns', to });
  }

  deleteNamespace(name: string) {
    return this.execute({ do: 'delete-netns', name });
  }

  load(module: string) {
    return this.execute({ do: 'load', module });
  }

  unload(module: string) {
    return this.execute({ do: 'unload', module });
  }

  /** `ip link set DEV promisc on|off` and its like. */
  setFlag(dev: string, flag: keyof typeof IFF, on: boolean): Outcome {
    const { net } = this.on.kernel;
    const netdev = this.netdev(dev);
    const wanted = on ? netdev.flags.now | IFF[flag] : netdev.flags.now & ~IFF[flag];
    return this.underRtnl(() => changeFlags(net, netdev, wanted)) ?? 'done';
  }

  /** Runs the task under the RTNL. */
  underRtnl<T>(task: () => Task<T>): T | 'waits' {
    const { rtnl } = this.on.kernel.net;
    return this.on.run(
      'under rtnl',
      'guest',
      (function* () {
        yield* rtnl.lock();
        const result = yield* task();
        yield* rtnl.unlock();
        return result;
      })(),
    );
  }

  find(dev: string): Netdev | undefined {
    return linuxOf(this.on.machine).netdevOf(dev);
  }

  netdev(dev: string): Netdev {
    const found = this.find(dev);
    if (found === undefined) throw new Error(`the guest has no ${dev}`);
    return found;
  }

  has(dev: string): boolean {
    return this.find(dev) !== undefined;
  }

  masterOf(dev: string): string | undefined {
    return this.netdev(dev).master?.dev;
  }

  hasFlag(dev: string, flag: keyof typeof IFF): boolean {
    return (this.netdev(dev).flags.now & IFF[flag]) !== 0;
  }

  pathOf(nic = 'nic1') {
    return this.on.machine.guest.pathOf(nic);
  }
}

/** A machine whose VF carries: the usual beginning of what is about a VF's end. */
export function carrying(choice: MachineChoice = {}): TestMachine {
  const m = machine(choice);
  for (const { name } of m.machine.plan.nics) {
    m.host.offer(name);
    m.guest.up(name);
    m.host.plug(name);
    m.settle();
    if (m.host.pathOf(name) !== 'vf' || m.guest.pathOf(name) !== 'vf') throw new Error(`${name}'s VF does not carry`);
  }
  m.forget();
  return m;
}

/** A machine whose VF has been registered; whether it has joined is the test's own question. */
export function plugged(choice: MachineChoice = {}): TestMachine {
  const m = machine(choice);
  for (const { name } of m.machine.plan.nics) {
    m.host.offer(name);
    m.settle();
    m.host.plug(name);
    m.settle();
  }
  return m;
}

function planOf(choice: MachineChoice): Plan {
  const { nics = 1, vf = 'mlx5' } = choice;
  const special: readonly Partial<NicPlan>[] =
    typeof nics === 'number' ? Array.from({ length: nics }, () => ({})) : nics;
  return {
    guest: choice.guest ?? 'linux-6.12',
    fixes: (choice.fixes ?? {}) as Record<string, boolean>,
    nics: special.map((nic, i) => {
      const serial = nic.serial ?? i + 1;
      const address = mac(`00:0d:3a:00:00:${String(i + 1).padStart(2, '0')}`);
      return { name: `nic${i + 1}`, mac: address, vf, synthetic: 'ws2022', serial, pciSerial: serial, ...nic };
    }),
    user: choice.user ?? [],
    modules: choice.modules ?? ['pci-hyperv', 'hv_netvsc', 'mlx5_core', 'mana', 'example_vf'],
    latency: (choice.latency ?? {}) as Record<string, Nanoseconds>,
    transport: choice.transport ?? 'direct',
  };
}
