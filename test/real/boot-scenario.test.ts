import { beforeAll, describe, expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import { type Run, runScenario } from '../../src/scenario/run.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { formatFailure } from '../../src/scenario/verdict.ts';
import type { Event, EventKind, EventOf } from '../../src/trace/event.ts';
import { prepareGuest, toSnapshot } from '../../src/vm/boot.ts';
import type { BootImages } from '../../src/vm/kernel/images.ts';
import { RealMachine } from '../../src/vm/real-machine.ts';
import { RealStage } from '../../src/vm/stage/real-stage.ts';
import { whatDiffers } from '../../src/vm/stage/what-differs.ts';
import { shipped } from '../support/shipped.ts';
import { textScenario } from '../support/text-scenario.ts';
import { bootImages, catalogue } from './real-guest.ts';

/** Scenarios on a stock Debian kernel, as `netvsim boot --scenario` runs them. */

let images: BootImages;
let prepared: Uint8Array;

beforeAll(async () => {
  images = bootImages();
  const snapshot = await toSnapshot(catalogue, { images, memoryMb: 192, forStage: true });
  if (!snapshot.ok) throw new Error([snapshot.error.text, ...snapshot.error.tail].join('\n'));
  prepared = snapshot.value;
});

class RealRun {
  readonly run: Run<RealStage>;
  readonly events: readonly Event[];

  constructor(run: Run<RealStage>, events: readonly Event[]) {
    this.run = run;
    this.events = events;
  }

  get failures(): readonly string[] {
    return this.run.verdict.failures.map(formatFailure);
  }

  of<K extends EventKind>(kind: K): readonly EventOf<K>[] {
    return this.events.filter((event) => event.kind === kind) as unknown as readonly EventOf<K>[];
  }

  first<K extends EventKind>(kind: K, like: Partial<EventOf<K>>): EventOf<K> {
    const found = this.of(kind).find((event) =>
      Object.entries(like).every(([key, value]) => event[key as keyof EventOf<K>] === value),
    );
    if (found === undefined) throw new Error(`no ${kind} like ${JSON.stringify(like)}`);
    return found;
  }
}

/** `meddle` is given the machine before the run. */
async function boot(scenario: Scenario, meddle: (machine: RealMachine) => void = () => {}): Promise<RealRun> {
  const { refusals, judged } = whatDiffers(scenario, images.release);
  expect(refusals).toEqual([]);
  const machine = await RealMachine.restore(scenario.plan, catalogue, images, prepared);
  if (!machine.ok) throw new Error(JSON.stringify(machine.error));
  const guest = prepareGuest(machine.value);
  if (!guest.ok) throw new Error(guest.error.text);
  meddle(machine.value);
  const events: Event[] = [];
  const run = runScenario(
    { ...scenario, always: judged },
    (plan, { trace }) => new RealStage(guest.value, plan, trace),
    { listeners: [(event) => events.push(event)] },
  );
  return new RealRun(run, events);
}

describe('a VF arrives and joins', () => {
  let told: RealRun;
  beforeAll(async () => {
    told = await boot(shipped('vf-plug-join'));
  });

  test('the scenario holds, with every invariant that can be seen', () => {
    expect(told.failures).toEqual([]);
    expect(told.run.verdict.exit).toBe(0);
    expect(told.run.verdict.counts.expectations).toBe(7);
    expect(told.run.stage.remarks).toEqual([]);
  });

  test('its record is complete: no probe is missing, and nothing was lost', () => {
    const { account } = told.run.stage;
    expect(account?.lost).toBe(0);
    const kinds = new Set(account?.entries.map(({ what }) => what));
    expect([...kinds].sort()).toEqual(
      expect.arrayContaining(['listed', 'log', 'notifier', 'nvsp', 'rtnetlink', 'uevent']),
    );
  });

  test('stamps of the record are moments of the host: a request arrives just when the guest says that it sends it', () => {
    const sends = told.run.stage.account?.entries.filter(
      (entry) => entry.what === 'nvsp' && entry.type === 'SWITCH_DATA_PATH',
    );
    const took = told.first('nvsp.message', { name: 'switchDataPath' });
    const between = took.time - (sends?.[0]?.at ?? 0);
    expect(between).toBeGreaterThanOrEqual(0);
    expect(between).toBeLessThan(100_000);
  });

  test('the kernel marks the VF before anybody can see it', () => {
    expect(told.first('uevent', { action: 'add', dev: 'nic1.vf' }).flags & 0x800).toBe(0x800);
    const [added, joined, switched] = [
      told.first('log', { dev: 'nic1', text: 'VF slot 9 added' }),
      told.first('netvsc.vf', { dev: 'nic1.vf', joined: true }),
      told.first('guest.datapath', { nic: 'nic1', path: 'vf' }),
    ];
    expect([added.time, joined.time, switched.time]).toEqual(
      [added.time, joined.time, switched.time].sort((a, b) => a - b),
    );
    expect(told.first('lease', { dev: 'nic1', held: true }).address).toBe('10.0.1.4');
  });

  test('a second run from the same snapshot is the same, event for event', async () => {
    const again = await boot(shipped('vf-plug-join'));
    expect(again.events).toEqual(told.events);
  });
});

test('frames are counted over a surprise removal: some are lost, and the path is whole again', async () => {
  const told = await boot(shipped('surprise-removal'));
  expect(told.failures).toEqual([]);
  const { tx, rx } = told.run.stage.sim.trace.frames.flow('echo-nic1');
  expect(tx.length).toBeGreaterThan(200);
  expect(tx.lost().length + rx.lost().length).toBeGreaterThan(0);
  expect(told.run.stage.remarks[0]).toMatch(/^flow echo-nic1: \d+ sent, of which \d+ were lost/);
});

test('a NIC is moved to a namespace, and its VF follows it there and back', async () => {
  const told = await boot(shipped('namespace-follows'));
  expect(told.failures).toEqual([]);
  expect(told.of('netdev.netns').map(({ dev, to }) => `${dev} ${to}`)).toEqual([
    'nic1 blue',
    'nic1.vf blue',
    'nic1 init_net',
    'nic1.vf init_net',
  ]);
});

test('what the kernel refuses is told by its errno, and the steps behind it are not done', async () => {
  const told = await boot(
    textScenario({
      steps: [
        '+0ms host offer nic1',
        '~5s expect nic1 is present',
        '+0ms guest rename nic1 to lo',
        '+0ms guest up nic1',
      ],
      header: ['always: [no-panic]'],
    }),
  );
  expect(told.failures).toEqual([expect.stringMatching(/^line \d+: guest rename nic1 to lo: refused: EEXIST$/)]);
  expect(told.of('scenario.step')).toHaveLength(3);
});

test('a guest that panics ends the run with what it said last', async () => {
  const steps = ['+0ms host offer nic1', '~5s expect nic1 is present', '+60s expect nic1 is present'];
  const scenario = textScenario({ steps, header: ['always: [no-panic, path-agrees]'] });
  const told = await boot(scenario, (machine) => {
    machine.sim.after(seconds(10), () => machine.spawn('crash', machine.agent.run('echo c >/proc/sysrq-trigger')));
  });
  expect(told.run.verdict.exit).toBe(1);
  const death = told.run.verdict.failures.find(({ kind }) => kind === 'stuck');
  expect(death).toMatchObject({ what: 'panic', line: expect.any(Number) });
  expect(death?.found).toMatch(
    /^the guest has panicked: Kernel panic - not syncing: sysrq triggered crash\n(?:\[.*\n)+.*end Kernel panic/,
  );
  expect(told.first('panic', {}).what).toContain('Kernel panic - not syncing');
  expect(told.failures).toContainEqual(expect.stringContaining('no-panic'));
});
