import { expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { type DrillOptions, drillScenario, runFirmwareUpdate } from '../../src/drill/firmware-update.ts';
import { drillCases, formatDrill } from '../../src/report/drill.ts';
import { formatStep } from '../../src/scenario/step.ts';
import type { EventBody } from '../../src/trace/event.ts';
import { fakeStage } from '../support/fake-stage.ts';
import { VOCABULARY } from '../support/vocabulary.ts';

const options: DrillOptions = {
  guest: 'linux-6.12',
  vf: 'mlx5',
  order: 'surprise',
  gap: seconds(30),
  times: 2,
  nics: 2,
  transport: 'direct',
  maxGap: undefined,
  maxLoss: undefined,
};

test('the drill is a scenario of the usual verbs', () => {
  const { steps, plan } = drillScenario(options, VOCABULARY);
  expect(steps.map(formatStep)).toContain('+5s host update firmware by surprise gap 30000000000ns times 2');
  expect(plan.nics.map(({ mac }) => mac)).toEqual(['00:0d:3a:00:00:01', '00:0d:3a:00:00:02']);
});

const phase = (name: string): EventBody => ({ kind: 'servicing.phase', phase: name, round: 1 });
const up: EventBody = { kind: 'netdev.flags', dev: 'nic1', flags: 0x1003, gained: 'UP', lost: '' };
const down: EventBody = { kind: 'netdev.flags', dev: 'nic1', flags: 0x1002, gained: '', lost: 'UP' };
/** A machine on which everything is as it must be, but for 50 ms in the gap. */
const stage = fakeStage({
  events: [
    [0, up],
    [seconds(5), phase('revoke')],
    [seconds(6), phase('gap')],
    [seconds(7), down],
    [seconds(7) + ms(50), up],
    [seconds(8), phase('return')],
    [seconds(9), phase('done')],
  ],
  yesFrom: { present: 0, datapath: 0, 'servicing-done': seconds(10) },
});
const one = { ...options, nics: 1, times: 1 };

test('the worst gap is found, and a budget below it fails the drill', () => {
  const result = runFirmwareUpdate(one, VOCABULARY, stage);
  expect(result).toMatchObject({ exit: 0, worst: { nic: 'nic1', span: ms(50) }, lost: 0, overBudget: [] });
  expect(runFirmwareUpdate({ ...one, maxGap: ms(50), maxLoss: 0 }, VOCABULARY, stage).exit).toBe(0);
  const over = runFirmwareUpdate({ ...one, maxGap: ms(49) }, VOCABULARY, stage);
  expect(over).toMatchObject({
    exit: 1,
    overBudget: ['nic1 could not send from 7.000000 s for 50 ms; the budget is 49 ms'],
  });
  expect(drillCases(one, over).map(({ failures }) => failures.length)).toEqual([0, 1]);
});

test('its report is a table, the verdict first', () => {
  const text = formatDrill(one, runFirmwareUpdate(one, VOCABULARY, stage));
  expect(text.split('\n')).toEqual([
    'held: firmware update (linux-6.12, 1 x mlx5, surprise, gap 30 s, once)',
    '',
    'worst gap: 50 ms (nic1, out, at 7.000000 s)',
    'frames lost: 0',
    'invariants: all held',
    '',
    'phase         lasts       path  no path out  no path in',
    'steady          5 s  synthetic            0           0',
    'revoke          1 s  synthetic            0           0',
    'gap             2 s  synthetic        50 ms       50 ms',
    'return          1 s  synthetic            0           0',
    'steady after    6 s  synthetic            0           0',
    '',
    'out of the guest  sent  received  lost  duplicated  out of order',
    'steady               0         0     0           0             0',
    'revoke               0         0     0           0             0',
    'gap                  0         0     0           0             0',
    'return               0         0     0           0             0',
    'steady after         0         0     0           0             0',
    '',
    'into the guest  sent  received  lost  duplicated  out of order',
    'steady             0         0     0           0             0',
    'revoke             0         0     0           0             0',
    'gap                0         0     0           0             0',
    'return             0         0     0           0             0',
    'steady after       0         0     0           0             0',
    '',
  ]);
});

test('its report says which modelled delays are behind the figures, and whose they are', () => {
  const modelled = [
    { row: 'host.reply', span: 20_000, from: 'table' },
    { row: 'host.switch-datapath', span: ms(2), from: 'device' },
    { row: 'vf.link', span: ms(240), from: 'device' },
    { row: 'guest.vf-takeover', span: ms(100), from: 'table' },
  ] as const;
  const text = formatDrill(one, { ...runFirmwareUpdate(one, VOCABULARY, stage), modelled });
  expect(text).toContain(
    [
      'modelled, not measured; from the latency table (netvsim list latency):',
      '  host.reply 20 us (invented), host.switch-datapath 2 ms (ws2022),',
      '  vf.link 240 ms (mlx5), guest.vf-takeover 100 ms (table)',
      '',
    ].join('\n'),
  );
});

test('a drill that never ends its update fails', () => {
  const never = fakeStage({ yesFrom: { present: 0, datapath: 0 } });
  const result = runFirmwareUpdate(one, VOCABULARY, never);
  expect(result.exit).toBe(1);
  expect(result.verdict.failures[0]?.what).toBe('expect servicing done');
});
