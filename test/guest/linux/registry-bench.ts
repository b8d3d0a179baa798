import { mac } from '../../../src/base/mac.ts';
import { Netdev, type NetdevOps } from '../../../src/guest/linux/netdev.ts';
import type { NetdevEvent, NotifierBlock, Verdict } from '../../../src/guest/linux/notifier.ts';
import { Registry } from '../../../src/guest/linux/registry.ts';
import type { Task } from '../../../src/sim/operation.ts';
import { Simulation } from '../../../src/sim/simulation.ts';
import type { Event } from '../../../src/trace/event.ts';
import { keep } from '../../../src/trace/recorder.ts';

function* nothing(): Task<undefined> {
  return undefined;
}
const NO_OPS: NetdevOps = { open: nothing, stop: nothing, startXmit: nothing };

/** A registry alone: no bus, no drivers. Devices are called d1, d2 ... by the test. */
export class RegistryBench {
  readonly sim = new Simulation();
  readonly events: readonly Event[] = keep(this.sim.trace);
  readonly net: Registry;

  constructor(options: { readonly hasPreUninit?: boolean } = {}) {
    this.net = new Registry(this.sim, { hasPreUninit: options.hasPreUninit ?? true });
  }

  device(dev: string, ops: Partial<NetdevOps> = {}): Netdev {
    const number = dev.replace(/\D/g, '').padStart(2, '0');
    return new Netdev(this.sim, {
      dev,
      parent: { bus: 'pci', path: `VMBUS:00/test/${dev}`, driver: 'test' },
      ops: { ...NO_OPS, ...ops },
      mac: mac(`00:0d:3a:00:00:${number}`),
      mtuMin: 68,
      mtuMax: 9000,
    });
  }

  /** Runs the task under the RTNL, to the end of everything. */
  underRtnl<T>(task: () => Task<T>): T {
    const { net } = this;
    return this.run(function* () {
      yield* net.rtnl.lock();
      const result = yield* task();
      yield* net.rtnl.unlock();
      return result;
    });
  }

  run<T>(task: () => Task<T>): T {
    let result: T | undefined;
    this.sim.spawn('test', 'guest', collect());
    this.sim.run({ stepsMax: 100_000 });
    return result as T;

    function* collect(): Task {
      result = yield* task();
    }
  }

  registered(dev: string, ops: Partial<NetdevOps> = {}): Netdev {
    const device = this.device(dev, ops);
    this.run(() => this.net.registerLocked(device));
    return device;
  }

  /** A listener that notes what it hears, and answers what the test says. */
  listener(name: string, answer: (event: NetdevEvent, dev: Netdev) => Verdict = () => 'done', priority = 0): Listener {
    const heard: string[] = [];
    const block: NotifierBlock = {
      name,
      priority,
      *notify(event, dev) {
        heard.push(`${event.replace('NETDEV_', '')} ${dev.dev}`);
        return answer(event, dev);
      },
    };
    return { block, heard };
  }

  /** What was told about a device from `from` on, in short. */
  story(dev: string, from = 0): string[] {
    return this.events.slice(from).flatMap((event) => {
      if (!('dev' in event) || event.dev !== dev) return [];
      switch (event.kind) {
        case 'uevent':
          return [`uevent ${event.action}`];
        case 'rtnetlink':
          return [event.message];
        case 'netdev.visible':
          return [`${event.visible ? 'in' : 'out of'} ${event.channel}`];
        case 'notifier':
          return [`${event.notifier}: ${event.event}`];
        case 'netdev.state':
          return [event.state];
        default:
          return [];
      }
    });
  }
}

export interface Listener {
  readonly block: NotifierBlock;
  readonly heard: string[];
}
