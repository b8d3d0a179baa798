import { syntheticModels, vfModels } from '../../../../devices/index.ts';
import { type MacAddress, mac } from '../../../../src/base/mac.ts';
import type { Nanoseconds } from '../../../../src/base/time.ts';
import { allocateIfnet, freeIfnet } from '../../../../src/guest/freebsd/net/allocate.ts';
import { etherAttach } from '../../../../src/guest/freebsd/net/attach.ts';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import type { Fix } from '../../../../src/guest/freebsd/profile.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import type { GuestCommand } from '../../../../src/guest/uapi/uapi.ts';
import type { HostAction, RevokeOrder } from '../../../../src/host/action.ts';
import { freebsdOf } from '../../../../src/machine/guests.ts';
import { Machine } from '../../../../src/machine/machine.ts';
import type { Plan } from '../../../../src/machine/plan.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import type { Strategy } from '../../../../src/sim/strategy.ts';
import type { Event, EventKind, EventOf } from '../../../../src/trace/event.ts';
import { keep, type Listener, Recorder } from '../../../../src/trace/recorder.ts';
import { NVSP_STATUS } from '../../../../src/wire/nvsp.ts';

export interface HnChoice {
  readonly guest?: string;
  readonly fixes?: Readonly<Partial<Record<Fix, boolean>>>;
  readonly vf?: string;
  readonly nics?: number;
  readonly user?: readonly string[];
  readonly modules?: readonly string[];
  readonly latency?: Plan['latency'];
}

const STEPS_MAX = 1_000_000;
const MODULES = ['vmbus_pcib', 'hn', 'mlx5en', 'mana', 'example_vf'];

/** A machine with a FreeBSD guest that has booted, with nothing offered yet. */
export class HnBench {
  readonly machine: Machine;
  readonly events: readonly Event[];

  constructor(
    {
      guest = 'freebsd-14',
      fixes = {},
      vf = 'example',
      nics = 1,
      user = [],
      modules = MODULES,
      latency = {},
    }: HnChoice = {},
    strategy?: Strategy,
    listener?: Listener,
  ) {
    const trace = new Recorder();
    this.events = keep(trace);
    if (listener !== undefined) trace.listen(listener);
    const plan = {
      guest,
      fixes: fixes as Record<string, boolean>,
      nics: Array.from({ length: nics }, (_, i) => ({
        name: `nic${i + 1}`,
        mac: macOf(i + 1),
        vf,
        synthetic: 'ws2022',
        serial: i + 1,
        pciSerial: i + 1,
      })),
      user,
      modules,
      latency,
      transport: 'direct',
    } as const;
    this.machine = new Machine(plan, { vfs: vfModels, synthetics: syntheticModels }, { trace, strategy });
    this.run(() => this.machine.boot());
    this.settle();
  }

  get sim() {
    return this.machine.sim;
  }

  get guest() {
    return freebsdOf(this.machine);
  }

  get net() {
    return this.guest.kernel.net;
  }

  settle(): void {
    if (this.sim.run({ stepsMax: this.sim.steps + STEPS_MAX }) === 'steps') throw new Error('it never comes to rest');
  }

  pass(span: Nanoseconds): void {
    this.sim.run({ until: this.sim.now + span });
  }

  /** Runs a task to its end; undefined when it has none. */
  run<T>(task: () => Task<T>): T | undefined {
    let result: T | undefined;
    let ended = false;
    function* collect(): Task {
      result = yield* task();
      ended = true;
    }
    this.sim.spawn('test', 'guest', collect());
    this.sim.run({ stepsMax: this.sim.steps + STEPS_MAX, enough: () => ended });
    return result;
  }

  /** The same in the default vnet, as code of a driver runs. */
  inVnet0<T>(task: () => Task<T>): T | undefined {
    const { net } = this;
    return this.run(() => net.curvnet.within(net.vnet0, task()));
  }

  host(action: HostAction): void {
    const refused = this.run(() => this.machine.host.act(action));
    if (refused !== undefined) throw new Error(refused.refused);
  }

  /** The host will refuse the receive buffer of nic1 once. */
  refuseBuffer(): void {
    const fault = {
      fault: 'fail',
      message: 'sendReceiveBuffer',
      dev: 'nic1',
      status: NVSP_STATUS.fail,
      times: 1,
      may: false,
    } as const;
    this.host({ do: 'arm-fault', nic: 'nic1', fault });
  }

  command(command: GuestCommand): string {
    const done = this.run(() => this.guest.execute(command));
    return done === undefined ? 'waits' : done.ok ? 'done' : done.error;
  }

  /** NICs are there and up. */
  offered(): this {
    for (const { name } of this.machine.plan.nics) this.host({ do: 'offer', nic: name });
    this.settle();
    for (const { name } of this.machine.plan.nics) this.command({ do: 'up', ifname: this.ifp(name).name });
    this.settle();
    return this;
  }

  plug(nic = 'nic1'): void {
    this.host({ do: 'plug-vf', nic });
  }

  /** The VFs carry. */
  carrying(): this {
    this.offered();
    for (const { name } of this.machine.plan.nics) this.plug(name);
    this.settle();
    return this;
  }

  revoke(order: RevokeOrder = 'eject-first', nic = 'nic1'): void {
    this.host({ do: 'revoke-vf', nic, order });
  }

  find(dev: string): Ifnet | undefined {
    return this.net.attached.get(dev);
  }

  ifp(dev: string): Ifnet {
    const ifp = this.find(dev);
    if (ifp === undefined) throw new Error(`the guest has no ${dev}`);
    return ifp;
  }

  has(dev: string, flag: keyof typeof IFF): boolean {
    const { flags, drvFlags } = this.ifp(dev);
    return ((flags.now | drvFlags.now) & IFF[flag]) !== 0;
  }

  /** What guest and host send by. */
  paths(nic = 'nic1'): readonly [string, string] {
    return [this.guest.pathOf(nic), this.machine.host.pathOf(nic)];
  }

  masterOf(dev: string): string | undefined {
    return this.guest.netdevOf(dev)?.master?.dev;
  }

  told<K extends EventKind>(kind: K): readonly EventOf<K>[] {
    return this.events.filter((event) => event.kind === kind) as unknown as readonly EventOf<K>[];
  }

  /** What only a broken kernel does. */
  faults(): readonly string[] {
    return this.events.flatMap((event) => {
      if (event.kind === 'memory.fault') return [`${event.fault} of ${event.dev}.${event.what} by ${event.by}`];
      if (event.kind === 'kernel.assert') return [event.what];
      if (event.kind === 'lock.order') return [`${event.problem}: ${event.holds}, ${event.takes}`];
      return event.kind === 'panic' ? [event.what] : [];
    });
  }

  /** Another Ethernet interface, which no hardware brings. */
  attachOther(dev: string, address: MacAddress): Ifnet {
    const { net } = this;
    const ifp = this.inVnet0(function* () {
      const made = yield* allocateIfnet(net, {
        dev,
        type: 'ether',
        dname: 'tap',
        dunit: 7,
        flags: IFF.BROADCAST,
        methods: {
          *ioctl() {
            return undefined;
          },
          *transmit() {
            return undefined;
          },
        },
      });
      if (!made.ok) throw new Error(made.error);
      yield* etherAttach(net, made.value, address);
      return made.value;
    });
    if (ifp === undefined) throw new Error(`${dev} is never attached`);
    return ifp;
  }

  remove(ifp: Ifnet): void {
    const { net } = this;
    this.inVnet0(function* () {
      yield* detachIfnet(net, ifp);
      yield* freeIfnet(net, ifp);
    });
  }
}

export const macOf = (nic: number): MacAddress => mac(`00:0d:3a:12:34:5${nic}`);
