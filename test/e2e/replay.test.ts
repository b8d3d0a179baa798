import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatSchedule, parseSchedule } from '../../src/explore/schedule-text.ts';
import { emptyFolder, netvsim } from '../support/command.ts';

/** A race that is quick to search. */
const RACE = ['d-12-vf-left-in-the-old-namespace', '--without', 'vf-follows-netns'];

describe('an order that is kept', () => {
  const scenario = readFileSync(join(import.meta.dirname, `../../fixtures/races/${RACE[0]}.yaml`), 'utf8');
  const orders = new Map<string, string>();
  /** A folder with a scenario and an order of it that breaks something; each order is searched once. */
  const folderWithOrder = (...more: readonly string[]): string => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'x.yaml'), scenario);
    const args = ['explore', 'x.yaml', ...RACE.slice(1), '--orders', '30', '--record', 'order', ...more];
    const known = orders.get(more.join(' '));
    if (known !== undefined) writeFileSync(join(folder, 'order'), known);
    else expect(netvsim(args, folder).exit).toBe(1);
    orders.set(more.join(' '), readFileSync(join(folder, 'order'), 'utf8'));
    return folder;
  };
  const edit = (folder: string, file: string, from: string | RegExp, to: string): void => {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text).toMatch(from);
    writeFileSync(join(folder, file), text.replace(from, to));
  };

  test('has no verdict when its run is given up', () => {
    const { exit, out } = netvsim(['replay', 'order', '--max-steps', '50'], folderWithOrder());
    expect([exit, out.split(':')[0]]).toEqual([3, 'NO VERDICT']);
  });

  test('names in vain whoever does not run, and says so', () => {
    const { exit, err } = netvsim(['run', 'vf-plug-join', '--order', 'nobody*3 manager nobody']);
    expect([exit, err]).toEqual([0, '--order: nobody did not come to run again, and is left out\n']);
  });

  test('runs again, in every detail, and leniently', () => {
    const folder = folderWithOrder();
    const text = readFileSync(join(folder, 'order'), 'utf8');
    expect(text).toMatch(/^netvsim-schedule: 2\n/);
    expect(text).toMatch(/^file: "x\.yaml"$/m);
    const [, key] = /^finds: \["([^"]+)"/m.exec(text) ?? [];
    const { exit, out, err } = netvsim(['replay', 'order'], folder);
    expect([exit, out.split(': ').slice(0, 2)]).toEqual([1, ['reproduced', key]]);
    expect(err).toBe('reproduce with: netvsim replay order\n');
    expect(netvsim(['replay', 'order', '--lenient'], folder)).toMatchObject({ exit: 1, out });
    expect(
      netvsim(['run', 'x.yaml', ...RACE.slice(1), '--transport', 'direct', '--schedule', 'order'], folder).exit,
    ).toBe(1);
  });

  test('also one whose timers came at any time', () => {
    const folder = folderWithOrder('--time', 'any', '--max-orders', '50');
    expect(readFileSync(join(folder, 'order'), 'utf8')).toMatch(/^time: any$/m);
    expect(netvsim(['replay', 'order'], folder)).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/^reproduced: /),
    });
  });

  test('is told as a story, in the terminal and as a page', () => {
    const folder = folderWithOrder();
    const { out } = netvsim(['replay', 'order', '--html', 'page.html'], folder);
    expect(out).toMatch(/^The race: both touch /m);
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('netvsim replay order --html page.html');
  });

  test('shows every event when asked', () => {
    const folder = folderWithOrder();
    const [short, long] = [[], ['--verbose']].map((more) => netvsim(['replay', 'order', ...more], folder).out);
    expect(short).not.toContain('module hv_netvsc loaded');
    expect(long).toContain('module hv_netvsc loaded');
  });

  test('leniently, it can be seen that what was found is mended', () => {
    const folder = folderWithOrder();
    edit(folder, 'order', /^without: .*$/m, 'without: []');
    const { exit, out, err } = netvsim(['replay', 'order', '--lenient'], folder);
    expect([exit, out]).toEqual([0, expect.stringMatching(/^holds now: /)]);
    expect(err).toMatch(/^order: the scenario was changed since this order was written/);
  });

  test('fits no other scenario, guest or set of fixes', () => {
    const folder = folderWithOrder();
    expect(netvsim(['replay', 'order', '--scenario', 'two-nics'], folder)).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringMatching(/^order: is an order of scenario "/),
    });
    expect(netvsim(['replay', 'order', '--scenario', 'two-nics', '--lenient'], folder).exit).toBe(2);
    const run = (...args: readonly string[]) =>
      netvsim(['run', 'x.yaml', '--transport', 'direct', '--schedule', 'order', ...args], folder);
    expect(run().err).toMatch(/^order: is an order of a guest without vf-follows-netns, not without no fix$/m);
    expect(run('--guest', 'linux-5.15').err).toMatch(
      /^order: is an order of guest "linux-6\.12", not of "linux-5\.15"$/m,
    );
  });

  test('does not fit a scenario that was changed; leniently it does', () => {
    const folder = folderWithOrder();
    edit(folder, 'x.yaml', /^about: >$/m, 'about: >\n  More words, and every line moves down.');
    expect(netvsim(['replay', 'order'], folder).exit).toBe(1);
    edit(folder, 'x.yaml', /\+0ms( +)host offer nic1/, '+1ms$1host offer nic1');
    const changed = /^order: the scenario was changed since this order was written: /;
    expect(netvsim(['replay', 'order'], folder)).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringMatching(changed),
    });
    expect(netvsim(['replay', 'order', '--lenient'], folder)).toMatchObject({
      exit: expect.toBeOneOf([0, 1]),
      err: expect.stringMatching(changed),
    });
  });

  test.each<[string, (text: string) => string, RegExp]>([
    [
      'of another version',
      (text) => text.replace('schedule: 2', 'schedule: 3'),
      /is of format version 3; this netvsim reads version 2/,
    ],
    ['that was cut off', (text) => text.slice(0, text.length / 2), /is cut off/],
    [
      'whose last line was cut off',
      (text) => text.replace(/check.*\n/, ''),
      /is cut off or damaged: its check is missing/,
    ],
    [
      'that was edited',
      (text) => text.replace('hv_pri_chan', 'hv_pri_cham'),
      /was edited: its last line does not fit the others/,
    ],
    [
      'that has a step more',
      (text) => text.replace(/^steps:/m, '  scenario\nsteps:'),
      /was edited: it has \d+ steps, and says \d+/,
    ],
    ['of nothing', () => '', /is no netvsim schedule/],
    [
      'that is a scenario',
      () => readFileSync(join(import.meta.dirname, '../../fixtures/scenarios/two-nics.yaml'), 'utf8'),
      /is no netvsim schedule/,
    ],
  ])('an order %s is refused', (_, change, message) => {
    const folder = folderWithOrder();
    writeFileSync(join(folder, 'order'), change(readFileSync(join(folder, 'order'), 'utf8')));
    const { exit, out, err } = netvsim(['replay', 'order'], folder);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err.startsWith('order: ')).toBe(true);
  });

  test('whose scenario is gone says how to name it', () => {
    const folder = folderWithOrder();
    const text = readFileSync(join(folder, 'x.yaml'), 'utf8');
    const elsewhere = emptyFolder();
    writeFileSync(join(elsewhere, 'order'), readFileSync(join(folder, 'order')));
    expect(netvsim(['replay', 'order'], elsewhere)).toMatchObject({
      exit: 2,
      err: 'order: is an order of x.yaml, which is not there: --scenario says where it is\n',
    });
    writeFileSync(join(elsewhere, 'moved.yaml'), text);
    expect(netvsim(['replay', 'order', '--scenario', 'moved.yaml'], elsewhere).exit).toBe(1);
  });

  test('that the run cannot follow: the first difference is told with both sides', () => {
    const folder = folderWithOrder();
    const parsed = parseSchedule(readFileSync(join(folder, 'order'), 'utf8'), 'order');
    if (!parsed.ok) throw new Error('it reads no more');
    // As it is where netvsim itself has become another one since.
    const choices = [{ context: 'nobody', times: 1 }, ...parsed.value.choices];
    writeFileSync(join(folder, 'order'), formatSchedule({ ...parsed.value, choices }));
    expect(netvsim(['replay', 'order'], folder)).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringMatching(
        /^order: does not fit this run: step 1: the schedule says nobody, but only \w.* can run$/m,
      ),
    });
    expect(netvsim(['replay', 'order', '--lenient'], folder).exit).toBe(1);
  });
});
