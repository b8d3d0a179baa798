import { type MacAddress, mac } from '../../../../src/base/mac.ts';
import type { EventHandler, EventName } from '../../../../src/guest/freebsd/kern/eventhandler.ts';
import { allocateIfnet, freeIfnet } from '../../../../src/guest/freebsd/net/allocate.ts';
import { etherAttach } from '../../../../src/guest/freebsd/net/attach.ts';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import type { IfMethods, Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import type { FreebsdNet } from '../../../../src/guest/freebsd/net.ts';
import { type Fix, PROFILES, type Profile, withFixes } from '../../../../src/guest/freebsd/profile.ts';
import { makeStack, type Stack } from '../../../../src/guest/freebsd/stack.ts';
import type { Vnet } from '../../../../src/guest/freebsd/vnet/vnet.ts';
import type { Vnets } from '../../../../src/guest/freebsd/vnet/vnets.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import type { Operation, Task } from '../../../../src/sim/operation.ts';
import { Simulation } from '../../../../src/sim/simulation.ts';
import type { Event } from '../../../../src/trace/event.ts';
import { keep } from '../../../../src/trace/recorder.ts';

const NO_METHODS: IfMethods = {
  *ioctl() {
    return undefined;
  },
  *transmit() {
    return undefined;
  },
};

export const MAC = mac('00:0d:3a:00:00:01');

interface Made {
  readonly dname?: string;
  readonly dunit?: number;
  readonly methods?: Partial<IfMethods>;
  readonly vnet?: Vnet;
}

/** Which kernel a test is about. */
export interface BenchOptions {
  readonly profile?: string;
  readonly fixes?: Readonly<Partial<Record<Fix, boolean>>>;
  readonly index?: Profile['index'];
  readonly indexMost?: number;
  readonly fibs?: number;
}

export function profileOf({ profile = 'freebsd-14', fixes = {}, index }: BenchOptions): Profile {
  const made = withFixes(PROFILES[profile] as Profile, fixes);
  return index === undefined ? made : { ...made, index };
}

/** A network stack alone: no bus, no drivers but those that a test makes. Interfaces are called d1, d2 ... by the test. */
export class IfnetBench {
  readonly sim: Simulation;
  readonly events: readonly Event[];
  readonly stack: Stack;
  readonly net: FreebsdNet;
  readonly vnets: Vnets;

  constructor(options: BenchOptions = {}, sim = new Simulation()) {
    this.sim = sim;
    this.events = keep(sim.trace);
    const { indexMost, fibs } = options;
    this.stack = makeStack(sim, {
      profile: profileOf(options),
      ...(indexMost === undefined ? {} : { indexMost }),
      ...(fibs === undefined ? {} : { fibs }),
    });
    this.net = this.stack.net;
    this.vnets = this.stack.vnets;
  }

  /** Runs a task in a vnet, to the end of everything. */
  run<T>(task: () => Task<T> | Operation<T>, vnet = this.net.vnet0): T {
    let result: T | undefined;
    const { net } = this;
    this.sim.spawn('test', 'guest', collect());
    this.sim.run({ stepsMax: this.sim.steps + 100_000 });
    return result as T;

    function* collect(): Task {
      result = yield* net.curvnet.within(vnet, whole());
    }

    function* whole(): Task<T> {
      return yield* task();
    }
  }

  *allocate(dev: string, { dname = 'em', dunit, methods = {} }: Made = {}): Task<Ifnet> {
    const unit = dunit ?? Number(dev.replace(/\D/g, ''));
    const made = yield* allocateIfnet(this.net, {
      dev,
      type: 'ether',
      dname,
      dunit: unit,
      methods: { ...NO_METHODS, ...methods },
      flags: IFF.BROADCAST | IFF.SIMPLEX | IFF.MULTICAST,
    });
    if (!made.ok) throw new Error(`no ${dev}: ${made.error}`);
    return made.value;
  }

  *attachEthernet(dev: string, made: Made = {}, address: MacAddress = MAC): Task<Ifnet> {
    const ifp = yield* this.allocate(dev, made);
    yield* etherAttach(this.net, ifp, address);
    return ifp;
  }

  attached(dev: string, made: Made = {}): Ifnet {
    return this.run(() => this.attachEthernet(dev, made), made.vnet);
  }

  vnet(name: string): Vnet {
    return this.run(() => this.vnets.create(name));
  }

  /** What a driver does on its way out. */
  *remove(ifp: Ifnet): Task {
    yield* detachIfnet(this.net, ifp);
    yield* freeIfnet(this.net, ifp);
  }

  /** A handler that notes what it hears. */
  listener<Name extends EventName>(event: Name, name: string, priority: number): string[] {
    const heard: string[] = [];
    const handler: EventHandler<Name> = {
      name,
      priority,
      *handle(...args) {
        const [subject, ...rest] = args as unknown as [Ifnet | string, ...unknown[]];
        heard.push([typeof subject === 'string' ? subject : subject.name, ...rest].join(' '));
      },
    };
    this.run(() => this.net.events.register(event, handler));
    return heard;
  }

  /** What was told about a device from `from` on, in short. */
  story(dev: string, from = 0): string[] {
    return this.events.slice(from).flatMap((event) => ('dev' in event && event.dev === dev ? inShort(event) : []));
  }

  /** Everything that went wrong in the kernel. */
  faults(): string[] {
    return this.events.flatMap((event) => {
      if (event.kind === 'memory.fault') return [`${event.fault}: ${event.what} by ${event.by}`];
      if (event.kind === 'kernel.assert') return [event.what];
      if (event.kind === 'panic' || event.kind === 'kernel.spin') return [`${event.kind}: ${event.what}`];
      return event.kind === 'lock.order' ? [`${event.problem}: ${event.holds} -> ${event.takes}`] : [];
    });
  }
}

function inShort(event: Event): string[] {
  switch (event.kind) {
    case 'ifnet.state':
      return [event.state];
    case 'ifnet.visible':
      return [`${event.visible ? 'in' : 'out of'} ${event.channel}`];
    case 'routing':
      return [event.what === '' ? event.message : `${event.message} ${event.what}`];
    case 'devctl':
      return [`devctl ${event.system} ${event.type}`];
    case 'eventhandler':
      return [`${event.handler}: ${event.event}`];
    case 'netdev.flags':
      return [`+${event.gained} -${event.lost}`.replace(/ -$|^\+ /g, '')];
    default:
      return [];
  }
}
