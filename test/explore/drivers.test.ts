import { describe, expect, test, vi } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { type Explored, explore, type ScenarioOptions } from '../../src/explore/drivers.ts';
import { setMtu } from '../../src/guest/linux/device.ts';
import { hvNetvsc } from '../../src/guest/linux/drivers/hv-netvsc/driver.ts';
import type { LinuxKernel } from '../../src/guest/linux/kernel.ts';
import type { DriverFactory, Module } from '../../src/guest/linux/modules.ts';
import { Netdev } from '../../src/guest/linux/netdev.ts';
import type { NotifierBlock } from '../../src/guest/linux/notifier.ts';
import type { PciDevice, PciDriver } from '../../src/guest/linux/pci-core.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { vocabularyOf } from '../../src/scenario/vocabulary.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Task } from '../../src/sim/operation.ts';

/** What a driver of somebody else can do to a guest, well behaved; what it must not do is in driver-rules.test.ts. */

const catalogue = { vfs: vfModels, synthetics: syntheticModels };

const scenario = (steps: string, header = ''): string => `name: a test
about: A test.
nics: { nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 } }
${header}
always: []
steps: |
${steps}`;

const PLUG = scenario(`  +0ms host offer nic1
  ~5s expect nic1 is present
  +0ms guest up nic1
  +20ms host plug vf of nic1
  ~5s expect datapath of nic1 is vf
`);

const few = { strategy: 'random', samples: 3 } as const;

function search(text: string | Scenario, drivers: ScenarioOptions['drivers'], options: Partial<ScenarioOptions> = {}) {
  return explore(text, { catalogue, drivers: drivers ?? [], ...few, ...options });
}

const keysOf = ({ found }: Explored): readonly string[] => found.map(({ key }) => key);

/** A module that notes in the log what it is told: `NETDEV_UP of nic1`. */
const listener =
  (name: string, heard: (line: string) => void = () => {}): DriverFactory =>
  ({ net, sim }) => {
    const notifier: NotifierBlock = {
      name,
      priority: 0,
      *notify(event, { dev }) {
        heard(`${event} of ${dev}`);
        sim.trace.emit({ kind: 'log', level: 'info', dev, text: `${name}: ${event} of ${dev}` });
        return 'done';
      },
    };
    return {
      name,
      *load() {
        yield* net.addNotifier(notifier);
      },
      *unload() {
        yield* net.removeNotifier(notifier);
      },
    };
  };

describe('a module beside the guest’s own', () => {
  test('hears what the kernel tells, and the search goes on around it', () => {
    const heard = new Set<string>();
    const explored = search(
      PLUG,
      listener('spy', (line) => heard.add(line)),
      { samples: 20 },
    );
    expect([explored.verdict, explored.found, explored.sampled]).toEqual(['sampled', [], 21]);
    expect([...heard]).toEqual(expect.arrayContaining(['NETDEV_POST_INIT of nic1.vf', 'NETDEV_JOIN of nic1.vf']));
  });

  test('is loaded behind the others, in the order in which they are given', () => {
    const { scenario } = search(PLUG, [listener('b'), listener('a')]);
    expect(scenario.plan.modules).toEqual(['pci-hyperv', 'hv_netvsc', 'mlx5_core', 'mana', 'example_vf', 'b', 'a']);
  });

  test('is loaded by a step instead, where the scenario has one', () => {
    const late = scenario(
      '  +0ms host offer nic1\n  ~5s expect nic1 is present\n  +0ms guest load late\n  +0ms guest unload late\n',
    );
    const heard: string[] = [];
    const explored = search(
      late,
      listener('late', (line) => heard.push(line)),
    );
    expect(explored.scenario.plan.modules).not.toContain('late');
    expect(keysOf(explored)).toEqual([]);
    expect(new Set(heard)).toEqual(new Set(['NETDEV_REGISTER of nic1', 'NETDEV_UNREGISTER of nic1']));
  });

  test('is loaded although a scenario lists modules and does not know of it', () => {
    const listed = 'modules: [pci-hyperv, hv_netvsc, mlx5_core]';
    const text = PLUG.replace('always:', `${listed}\nalways:`);
    expect(search(text, listener('spy')).scenario.plan.modules).toEqual([
      'pci-hyperv',
      'hv_netvsc',
      'mlx5_core',
      'spy',
    ]);
    const loaded = loadScenario(text, 'a.yaml', vocabularyOf(catalogue));
    if (!loaded.ok) throw new Error('no scenario');
    expect(search(loaded.value, listener('spy')).scenario.plan.modules).toContain('spy');
  });

  test('is made anew for each run', () => {
    const kernels = new Set<LinuxKernel>();
    const modules = new Set<Module>();
    const { sampled } = search(PLUG, (kernel) => {
      kernels.add(kernel);
      const module = listener('spy')(kernel);
      modules.add(module);
      return module;
    });
    // To learn its name, the usual order and one of the samples twice, two samples, and three times for each check.
    expect([sampled, kernels.size, modules.size]).toEqual([4, 1 + 6 + 24, 1 + 6 + 24]);
  });

  test('is what a file of drivers exports: one, or a list', () => {
    expect(search(PLUG, listener('spy')).scenario.plan.modules.at(-1)).toBe('spy');
    expect(search(PLUG, []).scenario.plan.modules.at(-1)).toBe('example_vf');
  });
});

describe('a module in the place of one of the guest’s own', () => {
  test('hv_netvsc with another notifier', () => {
    const deaf: DriverFactory = (kernel) =>
      hvNetvsc(kernel, ({ notifier, driver }) => ({
        driver,
        notifier: {
          ...notifier,
          *notify(event, dev) {
            return event === 'NETDEV_POST_INIT' ? 'done' : yield* notifier.notify(event, dev);
          },
        },
      }));
    const text = PLUG.replace('always: []', 'always: [flagged-before-visible]');
    expect(keysOf(search(text, []))).toEqual([]);
    expect(keysOf(search(text, deaf))).toContain('flagged-before-visible');
    expect(search(text, deaf).scenario.plan.modules.filter((name) => name === 'hv_netvsc')).toHaveLength(1);
  });

  test('a driver of the VF that is written from scratch', () => {
    const text = PLUG.replace('expect datapath', 'expect nic1.vf has mtu 1400\n  ~5s expect datapath');
    expect(keysOf(search(text, []))).toEqual(['line 11: expect nic1.vf has mtu 1400']);
    expect(keysOf(search(text.replace('guest up nic1', 'guest mtu nic1 1400\n  +0ms guest up nic1'), plainVf))).toEqual(
      [],
    );
  });
});

/** The least that a VF needs: it sends nothing, and its link is good. */
const plainVf: DriverFactory = (kernel) => {
  const bound = new Map<PciDevice, Netdev>();
  function netdevOf({ fn, dev, domain, device, path, vendorId, deviceId, ...pci }: PciDevice): Netdev {
    const parent = { bus: 'pci', path, driver: 'mlx5_core' } as const;
    const slotName = () => pci.slot?.name;
    const netdev: Netdev = new Netdev(kernel.sim, {
      dev,
      parent: { ...parent, pci: { domain, device, vendorId, deviceId, slotName } },
      mac: fn.mac,
      mtuMin: 68,
      ops: {
        *open() {
          yield* kernel.linkWatch.carrier(netdev, true);
          return undefined;
        },
        *stop() {
          yield* kernel.linkWatch.carrier(netdev, false);
        },
        *startXmit(frame) {
          yield* fn.transmit(frame);
        },
      },
    });
    return netdev;
  }
  const driver: PciDriver = {
    name: 'mlx5_core',
    matches: (vendor) => vendor === 0x15b3,
    *probe(device) {
      const netdev = netdevOf(device);
      const errno = yield* kernel.net.registerLocked(netdev);
      if (errno === undefined) bound.set(device, netdev);
      return errno;
    },
    *remove(device) {
      const netdev = bound.get(device);
      if (netdev !== undefined) yield* kernel.net.unregisterLocked(netdev);
    },
  };
  return {
    name: 'mlx5_core',
    load: () => kernel.pci.drivers.register(driver),
    unload: () => kernel.pci.drivers.unregister(driver),
  };
};

describe('one order', () => {
  /** Two tasks write a cell; the last one is right only in the usual order. */
  const racing: DriverFactory = (kernel) => ({
    ...listener('racing')(kernel),
    *load() {
      const last = new Cell(kernel.sim, 'last', '');
      const write = (name: string): unknown =>
        kernel.sim.spawn(
          name,
          'guest',
          (function* (): Task {
            yield* last.set(name);
            if ((yield* last.get()) !== name) throw new Error(`${name} was overwritten`);
          })(),
        );
      write('one');
      write('other');
    },
  });
  const text = scenario('  +0ms host offer nic1\n');

  test('is run again as a failure tells it', () => {
    const [found] = search(text, racing, { samples: 20 }).found;
    expect(found?.key).toBe('driver threw: Error: one was overwritten');
    const again = search(text, racing, { order: 'one other one' });
    expect(again).toMatchObject({ verdict: 'fails', sampled: 1, searched: undefined });
    expect(keysOf(again)).toEqual([found?.key]);
    expect(search(text, racing, { order: '' })).toMatchObject({ verdict: 'sampled', found: [] });
  });

  test('must be one', () => {
    expect(() => search(text, racing, { order: 'one*x' })).toThrow('"one*x" is no choice such as');
  });
});

test('timers at any time: a delay that is long enough in every order that takes its time is a bet all the same', () => {
  const betting: DriverFactory = (kernel) => ({
    ...listener('betting')(kernel),
    *load() {
      const { sim } = kernel;
      const ready = new Cell(sim, 'ready', false);
      const prepare = function* (): Task {
        yield* ready.set(true);
      };
      const use = function* (): Task {
        yield* sim.sleep(1_000_000, 'everything to be ready');
        if (!(yield* ready.get())) throw new Error('too early');
      };
      sim.spawn('prepare', 'guest', prepare());
      sim.spawn('use', 'guest', use());
    },
  });
  const text = scenario('  +0ms host offer nic1\n');
  expect(keysOf(search(text, betting, { samples: 20 }))).toEqual([]);
  expect(keysOf(search(text, betting, { samples: 20, time: 'any' }))).toEqual(['driver threw: Error: too early']);
});

test.each<[string, Partial<ScenarioOptions>, string]>([
  ['unknown strategy', { strategy: 'pcs' as never }, 'no strategy is called "pcs"; nearest: pct'],
  ['no order at all', { ordersMax: 0 }, 'ordersMax is 0, and must be a whole number from 1 on'],
  ['half an order', { samples: 1.5 }, 'samples is 1.5, and must be'],
  ['no depth', { depth: 0 }, 'depth is 0, and must be'],
])('%s', (_, options, message) => {
  expect(() => search(PLUG, [], options)).toThrow(message);
});

test('another guest is for the text of a scenario', () => {
  const { scenario: loaded } = search(PLUG, [], { guest: 'linux-5.15' });
  expect(loaded.plan.guest).toBe('linux-5.15');
  expect(() => search(loaded, [], { guest: 'linux-6.12' })).toThrow('a scenario that was loaded has its guest');
  expect(() => search(PLUG, [], { guest: 'linux-5' })).toThrow('no guest is called "linux-5"');
});

describe('what is wrong before any run', () => {
  const plain = listener('plain');
  test.each<[string, string, ScenarioOptions['drivers'], string]>([
    ['no scenario', 'name: x', [], 'scenario:1: '],
    ['a step that nobody knows', PLUG.replace('guest up', 'guest upp'), [], 'scenario:9: no step reads'],
    ['a module that nobody gave', PLUG.replace('guest up nic1', 'guest load plane'), plain, 'nearest: plain'],
    ['two of one name', PLUG, [plain, listener('plain')], 'two of the drivers are called plain'],
    ['no factory', PLUG, 5 as never, 'driver number 1 is no function'],
    ['no module', PLUG, () => 5 as never, 'driver number 1 is made as the number 5, not as a module'],
    [
      'an async factory',
      PLUG,
      (async (kernel: LinuxKernel) => plain(kernel)) as never,
      'driver number 1 is made by an async',
    ],
    ['no name', PLUG, (kernel) => ({ ...plain(kernel), name: '' }), 'driver number 1 has no name of letters'],
    ['no unload', PLUG, (kernel) => ({ ...plain(kernel), unload: undefined }) as never, '(plain) has no unload()'],
    ['no path', PLUG, (kernel) => ({ ...plain(kernel), name: 'hv_netvsc' }), '(hv_netvsc) has no pathOf(nic)'],
    ['one that throws', PLUG, [plain, () => (undefined as never)['x']], 'driver number 2 threw at'],
    ['one that asks the clock', PLUG, () => ({ name: `x${Date.now()}` }) as never, 'driver number 1 uses Date.now at'],
  ])('%s', (_, text, drivers, message) => {
    expect(() => search(text, drivers)).toThrow(message);
    expect(() => search(text, drivers)).toThrow(expect.objectContaining({ name: 'SourceError' }));
  });
});

test('without drivers nothing is forbidden, and nobody watches', () => {
  const real = globalThis.Date;
  const seen = new Set<unknown>();
  const watched = {
    synthetics: syntheticModels,
    get vfs() {
      seen.add(globalThis.Date);
      return vfModels;
    },
  };
  explore(PLUG, { catalogue: watched, ...few });
  expect([...seen]).toEqual([real]);
  explore(PLUG, { catalogue: watched, drivers: listener('spy'), ...few });
  expect(seen.size).toBe(1 + 31); // guards of its own for the naming of the driver and for each run
  expect(globalThis.Date).toBe(real);
});

test('a driver can change what it is told of', () => {
  const smaller: DriverFactory = (kernel) => {
    const { net } = kernel;
    const notifier: NotifierBlock = {
      name: 'smaller',
      priority: 0,
      *notify(event, dev) {
        if (event === 'NETDEV_UP' && dev.dev === 'nic1.vf') yield* setMtu(net, dev, 1400);
        return 'done';
      },
    };
    const load = vi.fn(function* (): Task {
      yield* net.addNotifier(notifier);
    });
    return { name: 'smaller', load, unload: () => net.removeNotifier(notifier) };
  };
  const text = PLUG.replace('expect datapath of nic1 is vf', 'expect nic1.vf has mtu 1400');
  expect(keysOf(search(text, smaller))).toEqual([]);
});
