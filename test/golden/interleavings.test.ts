import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { searchOrders, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import { minimise } from '../../src/explore/minimise.ts';
import type { Program } from '../../src/explore/program.ts';
import { Replay, wholeOrder } from '../../src/explore/replay.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { unfixed } from '../../src/scenario/race.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { Event } from '../../src/trace/event.ts';
import { runShipped, traceLine } from '../support/shipped.ts';

/**
 * The two interleavings that the reference spells out (G.1), as traces: the order is looked for, told as short as it can
 * be, recorded, and followed. What is kept is the registry's part of it, from the searched lines on.
 */
function withoutItsFix(file: string): Scenario {
  const url = new URL(`../../fixtures/races/${file}.yaml`, import.meta.url);
  const loaded = loadScenario(readFileSync(url, 'utf8'), file, VOCABULARY, { transport: 'direct' });
  if (!loaded.ok) throw new Error(loaded.error[0]?.message);
  return unfixed(loaded.value);
}

const REGISTRY = /^(scenario\.|ifnet\.state|vnet\.count|netdev\.(netns|error|mac)|netvsc\.vf|memory|kernel|panic)/;

const markOf = (events: readonly Event[]): number =>
  events.findIndex((event) => event.kind === 'scenario.step' && event.text === 'from here on, all orders');

const lines = (events: readonly Event[]): string =>
  `${events
    .slice(markOf(events))
    .filter(({ kind }) => REGISTRY.test(kind))
    .map(traceLine)
    .join('\n')}\n`;

/** What happens, in short, that the rows of the table speak of. */
function rowsOf(events: readonly Event[]): readonly string[] {
  return events.slice(markOf(events)).flatMap((event) => {
    switch (event.kind) {
      case 'ifnet.state':
        return [`${event.dev} ${event.state}`];
      case 'vnet.count':
        return [`${event.vnet} counts ${event.count} of ${event.listed}`];
      case 'memory.fault':
        return [`${event.fault} of ${event.what} by ${event.by}`];
      case 'kernel.assert':
        return [event.what];
      case 'netvsc.vf':
        return [`${event.dev} ${event.joined ? 'joined' : 'left'} ${event.nic}`];
      default:
        return [];
    }
  });
}

/** Whether these come in this order, whatever else comes between. */
function isIn(rows: readonly string[], story: readonly string[]): boolean {
  let at = -1;
  return story.every((row) => {
    at = rows.indexOf(row, at + 1);
    return at !== -1;
  });
}

/** The table of G-3: reclaim unlinks, eject finds nothing and frees, and reclaim goes on with what is freed. */
const RECLAIM_AND_EJECT = [
  'nic1.vf moving',
  'jail counts 0 of 1',
  'nic1.vf index-freed',
  'nic1.vf freed',
  'use after free of ifnet by if_vmove',
];

test('G-3: reclaim against eject', async () => {
  const scenario = withoutItsFix('freebsd-g-27-count-of-a-jails-interfaces');
  const told: Program = (strategy, listener) => {
    const events: Event[] = [];
    const program = scenarioProgram(scenario, makeStage);
    const run = program(strategy, (event) => {
      events.push({ ...event });
      listener?.(event);
    });
    const found = isIn(rowsOf(events), RECLAIM_AND_EJECT) ? [{ key: 'G.1', text: 'as the table has it' }] : [];
    return { ...run, found };
  };
  const { found } = searchOrders(told, { ...USUAL_OPTIONS, strategy: 'pos', samples: 100 });
  expect(found.map(({ key }) => key)).toEqual(['G.1']);
  const smallest = minimise(told, found[0]?.order ?? [], 'G.1');
  expect(smallest.preemptions).toBeLessThanOrEqual(3);
  const { choices } = wholeOrder(scenario, makeStage, smallest.order);
  const replay = new Replay(scenario, { choices, time: 'idle' });
  const { events } = runShipped(scenario, { strategy: replay.strategy });
  expect(replay.misfit).toBeUndefined();
  expect(isIn(rowsOf(events), RECLAIM_AND_EJECT)).toBe(true);
  await expect(lines(events)).toMatchFileSnapshot('../../fixtures/golden/g-03-reclaim-against-eject.freebsd.trace');
});

/** The table of G-32: a stranger's departure is taken for that of the VF, whose own is then passed over. */
const STRANGER = [
  'nic2.vf unlinked',
  'hn_ifnet_detevent: slot 5 of the VF map is not its own',
  'nic2.vf left nic1',
  'nic2.vf freed',
  'nic1.vf unlinked',
  'nic1.vf freed',
  'hn_ifnet_attevent: slot 4 of the VF map is taken',
  'nic1.vf joined nic1',
];

test('G-32: a stranger with the address of a NIC', async () => {
  const scenario = withoutItsFix('freebsd-g-32-stranger-with-the-address-of-a-nic');
  const { events } = runShipped(scenario);
  expect(rowsOf(events)).toEqual(expect.arrayContaining(STRANGER));
  expect(isIn(rowsOf(events), STRANGER)).toBe(true);
  expect(rowsOf(events).filter((row) => row === 'nic1.vf left nic1')).toEqual([]);
  await expect(lines(events)).toMatchFileSnapshot('../../fixtures/golden/g-32-stranger-departs.freebsd.trace');
});
