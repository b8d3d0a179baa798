import { describe, expect, test } from 'vitest';
import { mac } from '../../src/base/mac.ts';
import { ms, seconds } from '../../src/base/time.ts';
import { runScenario } from '../../src/scenario/run.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { stepsFrom } from '../../src/scenario/step.ts';
import type { Event } from '../../src/trace/event.ts';
import { fakeStage, type Script } from '../support/fake-stage.ts';
import { NAMES } from '../support/vocabulary.ts';

function scenario(lines: readonly string[], always: readonly string[] = []): Scenario {
  const steps = stepsFrom(lines, { ...NAMES, flows: [] });
  if (!Array.isArray(steps)) throw new Error(JSON.stringify(steps));
  const nic = { name: 'nic1', mac: mac('00:0d:3a:12:34:56'), vf: 'mlx5', synthetic: 'ws2022', serial: 1, pciSerial: 1 };
  const plan = {
    guest: 'linux-6.12',
    fixes: {},
    nics: [nic],
    user: [],
    modules: [],
    latency: {},
    transport: 'direct',
  } as const;
  return { name: 'test', about: 'test', plan, needs: [], steps, always };
}

function run(lines: readonly string[], script: Script = {}, always: readonly string[] = [], options = {}) {
  const events: Event[] = [];
  const listeners = [(event: Event) => void events.push(event)];
  return { events, ...runScenario(scenario(lines, always), fakeStage(script), { listeners, ...options }) };
}

test('steps happen at their times', () => {
  const { events, verdict } = run(
    ['+5ms host offer nic1', '+20ms host plug vf of nic1', '=1s guest up nic1', '+0ms host revoke vf of nic1'],
    {},
  );
  const steps = events.filter((event) => event.kind === 'scenario.step');
  expect(steps.map((step) => step.time)).toEqual([ms(5), ms(25), seconds(1), seconds(1)]);
  expect(verdict).toMatchObject({ exit: 0, failures: [], stop: 'idle', endTime: seconds(1) });
});

test('a wait ends when the answer holds; the next step counts from its start', () => {
  const { events, verdict } = run(['~5s expect datapath of nic1 is vf', '+3s guest up nic1'], {
    yesFrom: { datapath: seconds(2) },
  });
  expect(events.map((event) => [event.kind, event.time])).toEqual([
    ['scenario.step', 0],
    ['scenario.expect', seconds(2)],
    ['scenario.step', seconds(3)],
  ]);
  expect(verdict.counts.expectations).toBe(1);
});

describe('a step that is done meanwhile', () => {
  const lines = ['+0ms guest load hv_netvsc meanwhile', '+1s guest up nic1'];

  test('is begun, and the next one does not wait for it', () => {
    const { stage, verdict } = run(lines, { slow: seconds(5) });
    expect(stage.done).toEqual([
      { do: 'load', module: 'hv_netvsc' },
      { do: 'up', dev: 'nic1' },
    ]);
    expect(verdict).toMatchObject({ exit: 0, endTime: seconds(6) });
    const after = run(['+0ms guest load hv_netvsc', '+1s guest up nic1'], { slow: seconds(5) });
    expect(after.verdict.endTime).toBe(seconds(10));
  });

  test('fails the run when it is refused, after the next one was done', () => {
    const { stage, verdict } = run(lines, { refuse: 'EBUSY' });
    expect(stage.done).toHaveLength(2);
    expect(verdict.failures).toMatchObject([
      { kind: 'step', line: 1, found: 'refused: EBUSY' },
      { kind: 'step', line: 2, found: 'refused: EBUSY' },
    ]);
  });
});

describe('what a command was refused with', () => {
  const asked = (line: string, script: Script, command = 'guest try up nic1') =>
    run([`+0ms ${command}`, `${line}`], script).verdict.failures.map(({ kind, found }) => `${kind}: ${found}`);

  test('is what the line says, or the run fails there', () => {
    expect(asked('+0ms expect errno EBUSY', { refuse: 'EBUSY' })).toEqual([]);
    expect(asked('+0ms expect errno EBUSY', { refuse: 'EEXIST' })).toEqual(['expectation: found EEXIST']);
    expect(asked('+0ms expect errno EBUSY', {})).toEqual(['expectation: found no errno']);
    expect(asked('+0ms expect no errno', {})).toEqual([]);
    expect(asked('+0ms expect no errno', { refuse: 'EBUSY' })).toEqual(['expectation: found EBUSY']);
  });

  test('of a program that is under way is waited for, and no longer than needed', () => {
    const script: Script = { refuse: 'EBUSY', slow: seconds(2) };
    const command = 'guest try up nic1 meanwhile';
    expect(asked('~5s expect errno EBUSY', script, command)).toEqual([]);
    expect(asked('~5s expect errno EEXIST', script, command)).toEqual(['expectation: found EBUSY after 2 s']);
    expect(asked('~1s expect errno EBUSY', script, command)).toEqual([
      'expectation: found that it has not come back after 1 s',
    ]);
    expect(asked('+1s expect errno EBUSY', script, command)).toEqual(['expectation: found that it has not come back']);
  });

  test('is that of the last line above that does anything in the guest', () => {
    const { verdict, events } = run(
      [
        '+0ms guest try load hv_netvsc meanwhile',
        '+0ms guest try up nic1 meanwhile',
        '+1s from here on, all orders',
        '+0ms expect errno EBUSY',
      ],
      { refuse: 'EBUSY' },
    );
    expect(verdict.failures).toEqual([]);
    expect(events.at(-1)).toMatchObject({ kind: 'scenario.expect', line: 4, held: true, found: 'EBUSY' });
  });
});

describe('what is not as it must be', () => {
  test('an expectation that fails: the steps behind it are not done', () => {
    const { verdict, stage } = run(['~5s expect datapath of nic1 is vf', '+0ms guest up nic1']);
    expect(verdict.exit).toBe(1);
    expect(verdict.failures).toEqual([
      {
        kind: 'expectation',
        line: 1,
        what: 'expect datapath of nic1 is vf',
        found: 'found something else after 5 s',
        at: seconds(5),
        step: 1,
      },
    ]);
    expect(stage.done).toEqual([]);
  });

  test('a refused step', () => {
    const { verdict } = run(['+0ms guest up nic1'], { refuse: 'EBUSY' });
    expect(verdict).toMatchObject({ exit: 1, failures: [{ kind: 'step', line: 1, found: 'refused: EBUSY' }] });
  });

  test('a context that waits for ever', () => {
    const { verdict, events } = run(['+0ms guest up nic1'], { hangs: true });
    expect(verdict.exit).toBe(1);
    expect(verdict.failures[0]).toMatchObject({ kind: 'stuck', what: 'stuck' });
    expect(verdict.failures[0]?.found).toContain('sleeper waits: wait an answer that never comes (open)');
    expect(events.at(-1)?.kind).toBe('sim.stuck');
  });

  test('a limit of steps: who still runs is named', () => {
    const { verdict } = run(['+0ms guest up nic1'], { spins: true }, [], { stepsMax: 5000 });
    expect(verdict).toMatchObject({ exit: 3, stop: 'steps' });
    expect(verdict.limit).toBe('5000 steps were done by 0.000000 s and these still run: spinner (set counter)');
  });

  test('a livelock: what is done over and over is named', () => {
    const { verdict, events } = run(['+0ms guest up nic1'], { spins: true });
    expect(verdict).toMatchObject({ exit: 1, stop: 'steps', limit: undefined });
    expect(verdict.failures).toMatchObject([{ kind: 'stuck', what: 'livelock' }]);
    expect(verdict.failures[0]?.found).toBe('at 0.000000 s the same is done over and over: spinner (set counter)');
    expect(events.at(-1)).toMatchObject({ kind: 'sim.stuck', problem: 'livelock' });
    expect(verdict.counts.steps).toBeLessThan(100_000);
  });

  test('an invariant', () => {
    const lease = (dev: string) =>
      ({ kind: 'lease', dev, mac: '00:0d:3a:12:34:56', address: '10.0.0.4', held: true }) as const;
    const script: Script = {
      events: [
        [ms(1), lease('nic1')],
        [ms(3), lease('nic1.vf')],
      ],
    };
    const { verdict, events } = run(['+0ms host offer nic1'], script, ['one-lease-per-mac']);
    expect(verdict).toMatchObject({ exit: 1, failures: [{ kind: 'invariant', what: 'one-lease-per-mac', at: ms(3) }] });
    expect(events.at(-1)).toMatchObject({ kind: 'invariant.violated', dev: 'nic1.vf', since: ms(1), time: ms(3) });
  });
});

test('flows that still run are stopped at the end', () => {
  const { stage } = run([
    '+0ms flow echo on nic1 every 10ms',
    '+1s flow stream on nic1 every 5ms',
    '+1s flow stop echo-nic1',
  ]);
  expect(stage.done.slice(2)).toEqual([{ stop: 'echo-nic1' }, { stop: 'stream-nic1' }]);
});

test('the same inputs give the same events', () => {
  const lines = ['+1ms host offer nic1', '~2s expect nic1 is present', '+1s host revoke vf of nic1'];
  const script: Script = { racers: { names: ['a', 'b', 'c'], steps: 50 }, yesFrom: { present: ms(700) } };
  expect(run(lines, script).events).toEqual(run(lines, script).events);
});

test('progress is told now and then', () => {
  let calls = 0;
  run(['+0ms guest up nic1'], { walks: 200_000 }, [], { onProgress: () => calls++ });
  expect(calls).toBe(3);
});
