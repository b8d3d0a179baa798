import { syntheticModels, vfModels } from '../../devices/index.ts';
import { type Explored, explore, type ScenarioOptions } from '../../src/explore/drivers.ts';
import type { LinuxKernel } from '../../src/guest/linux/kernel.ts';
import type { DriverFactory } from '../../src/guest/linux/modules.ts';
import type { Task } from '../../src/sim/operation.ts';

/** Drivers that do what none may, in one place each, and what a search of a few orders says of them. */

export const catalogue = { vfs: vfModels, synthetics: syntheticModels };
export const TEXT = `name: a test
about: A test.
nics: { nic1: { mac: "00:0d:3a:12:34:56" } }
always: []
steps: |
  +0ms host offer nic1
  ~5s expect nic1 is present
`;

export function search(driver: DriverFactory, options: Partial<ScenarioOptions> = {}): Explored {
  return explore(TEXT, { catalogue, drivers: driver, strategy: 'random', samples: 2, ...options });
}

/** The one thing that is found, with its text. */
export function findingOf(driver: DriverFactory, options?: Partial<ScenarioOptions>): string {
  const { found } = search(driver, options);
  return found.map(({ key, text }) => `${key} | ${text}`).join('\n');
}

export const nothing = function* (): Task {};

/** A module that does this when it is loaded. */
export const loading =
  (body: (kernel: LinuxKernel) => Task<unknown>): DriverFactory =>
  (kernel) => ({
    name: 'bad',
    *load() {
      yield* body(kernel);
    },
    unload: nothing,
  });

/** A module with a notifier that does this when nic1 has registered. */
export const notified =
  (body: (kernel: LinuxKernel) => unknown): DriverFactory =>
  (kernel) => ({
    name: 'bad',
    *load() {
      const notify = (event: string) => (event === 'NETDEV_REGISTER' ? body(kernel) : fine());
      yield* kernel.net.addNotifier({ name: 'bad', priority: 0, notify: notify as never });
    },
    unload: nothing,
  });

export function* fine(): Task<'done'> {
  return 'done';
}

/** Runs in plain code of the driver, in the middle of a task. */
export const plainly = (body: () => unknown): DriverFactory =>
  notified(function* () {
    body();
    return yield* fine();
  });

/** An error as if it came from netvsim's own code. */
export function ours<E extends Error>(error: E): E {
  const folder = new URL('../../src/guest/linux/registry.ts', import.meta.url).pathname;
  error.stack = `${error.name}: ${error.message}\n    at Registry.addNotifier (${folder}:1:1)`;
  return error;
}
