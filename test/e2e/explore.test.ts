import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { emptyFolder, MAIN, netvsim } from '../support/command.ts';

const explore = (...args: readonly string[]) => netvsim(['explore', ...args]);

/** A race that is quick to search. */
const RACE = ['d-12-vf-left-in-the-old-namespace', '--without', 'vf-follows-netns'];

describe('the seed: a VF arrives while user mode scans', () => {
  test('an old kernel: one lease for each of two NICs in some orders, and the cause in all', () => {
    const { exit, out, err } = explore('vf-seen-before-join', '--guest', 'linux-5.15');
    expect(exit).toBe(1);
    const [all = '', some = '', about] = out.split('\n');
    expect(all).toMatch(/^FAILS: flagged-before-visible in all (\d+) orders \(all 201 sampled\)$/);
    const [, failing, orders] =
      /^FAILS: one-lease-per-mac in (\d+) of (\d+) orders \(\d+ of 201 sampled\)$/.exec(some) ?? [];
    expect(Number(failing)).toBeGreaterThan(0);
    expect(Number(failing)).toBeLessThan(Number(orders));
    expect(about).toBe('  a VF arrives while user mode scans (linux-5.15, direct)');
    const [, preemptions] =
      /^ {2}the smallest order that was found to have it has (\d) preemptions?:$/m.exec(out) ?? [];
    expect(Number(preemptions)).toBeLessThanOrEqual(3);
    expect(err).toContain('netvsim explain one-lease-per-mac\n');
    expect(err).toContain('reproduce with: netvsim explore vf-seen-before-join --guest linux-5.15\n');
  });

  test('tells how it comes about: who took the turn, which two raced, and what would have helped', () => {
    const folder = emptyFolder();
    const args = ['vf-seen-before-join', '--guest', 'linux-5.15', '--orders', '20', '--html', 'page.html'];
    const { out } = netvsim(['explore', ...args], folder);
    expect(out).toMatch(/╰─+╮ takes the turn/);
    expect(out).toMatch(/^The race: both touch nic1\.vf\.flags\.$/m);
    expect(out).toMatch(/^What would help: /m);
    expect(
      Math.max(
        ...out
          .split('\n\n')
          .slice(2)
          .join('\n')
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(200);
    const page = readFileSync(join(folder, 'page.html'), 'utf8');
    expect(page).toMatch(/^<!DOCTYPE html>[\s\S]*<h1>one-lease-per-mac<\/h1>/);
    expect(page).toContain('linux-5.15, direct');
    expect(page).toContain('netvsim run vf-seen-before-join --guest linux-5.15 --transport direct --order');
  });

  test('a new one: holds in all orders, and says how many these are', () => {
    const { exit, out } = explore('vf-seen-before-join', '--guest', 'linux-6.12');
    expect(exit).toBe(0);
    expect(out).toMatch(/^holds in all orders: \d+ inequivalent orders \(about 10\^\d+ if each is counted\)\n/);
    expect(out).toMatch(/^ {2}orders searched: from line \d+ on$/m);
  });

  test('each finding has a line that runs it again', () => {
    const { out } = explore('vf-seen-before-join', '--guest', 'linux-5.15');
    const lines = [...out.matchAll(/^run it again: netvsim (.*)$/gm)].map(([, line = '']) => line);
    expect(lines).toHaveLength(2);
    const [, order] = /--order '(.*)'/.exec(lines[1] ?? '') ?? [];
    const args = (lines[1] ?? '').replace(/ --order.*/, '').split(' ');
    const { exit, out: again } = netvsim([...args, '--order', order ?? '']);
    expect(exit).toBe(1);
    expect(again).toMatch(/^ {2}\S+ {2}one-lease-per-mac: /m);
    const { out: usual } = netvsim((lines[0] ?? '').split(' '));
    expect(usual).toMatch(/^ {2}\S+ {2}flagged-before-visible: /m);
  });
});

describe('the same search gives the same output', () => {
  test.each([[['--json']], [[]]])('with one worker and with two: %j', (more) => {
    const [one, two] = ['1', '2'].map((jobs) => explore(...RACE, '--orders', '300', '--jobs', jobs, ...more));
    expect(one?.exit).toBe(1);
    expect(two?.out).toBe(one?.out);
  });

  test('another seed draws other orders', () => {
    const found = (seed: string) =>
      JSON.parse(explore(...RACE, '--seed', seed, '--orders', '50', '--json').out).found[0];
    expect(found('1').sampledOrders).not.toBe(found('2').sampledOrders);
    expect(found('1').searchedOrders).toBe(found('2').searchedOrders);
  });
});

describe('what a verdict rests on', () => {
  test.each(['random', 'pct', 'pos'])('samples only: %s', (strategy) => {
    const { exit, out } = explore('d-22-vf-stopped-before-anybody-switches', '--strategy', strategy, '--orders', '20');
    expect([exit, out.split('\n')[0]]).toEqual([0, 'holds in 21 sampled orders']);
    expect(out).toContain(`covered: the usual order and 20 by ${strategy} (seed 1);`);
  });

  test('all orders and nothing else', () => {
    const { exit, out } = explore('d-12-vf-left-in-the-old-namespace', '--strategy', 'reduced');
    expect([exit, out.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(/^holds in all orders: \d\d inequivalent orders$/),
    ]);
  });

  test('departures from the usual order', () => {
    const { exit, out } = explore(
      'd-22-vf-stopped-before-anybody-switches',
      '--strategy',
      'bounded',
      '--departures',
      '1',
    );
    expect([exit, out.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(/^holds in all \d+ orders that depart at most once from the usual one$/),
    ]);
  });

  test('timers that come at any time find what those in turn do not', () => {
    const { out } = explore(...RACE, '--time', 'any', '--orders', '20', '--max-orders', '20');
    expect(out).toContain('timers at any time)');
  });

  test('a limit of orders: 3, with what was covered', () => {
    const { exit, out, err } = explore('d-12-vf-left-in-the-old-namespace', '--orders', '5', '--max-orders', '10');
    expect(exit).toBe(3);
    expect(out).toMatch(/^NO VERDICT: nothing was found in \d\d orders, and there are more\n/);
    expect(out).toMatch(/10 inequivalent orders .*, the limit is 10: --max-orders;/);
    expect(err).toContain('more orders: --max-orders\n');
  });

  test('a limit of steps: 3, with who still ran', () => {
    const { exit, out, err } = explore('vf-seen-before-join', '--max-steps', '40', '--orders', '2');
    expect(exit).toBe(3);
    expect(out).toMatch(/^NO VERDICT: a run was given up: 40 steps were done by .* these still run: \w/);
    expect(err).toContain('more steps: --max-steps\n');
  });
});

/** Whether a process has a handler of its own by now (proc(5): the mask of the signals that are caught). */
const catchesInterrupts = (pid: number | undefined): boolean => {
  const caught = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) & 2n) !== 0n;
};

describe('an interrupt', () => {
  /** Interrupts it as soon as it says how far it is, or when it has searched for so long. */
  const interrupted = async (scenario: string, cwd: string, afterMs?: number) => {
    const search = spawn(process.execPath, [MAIN, 'explore', scenario, '--junit', 'j.xml'], { cwd });
    const said = { out: '', err: '' };
    search.stdout.on('data', (data) => {
      said.out += data;
    });
    search.stderr.on('data', (data) => {
      if (said.err === '' && afterMs === undefined) search.kill('SIGINT');
      said.err += data;
    });
    if (afterMs !== undefined) {
      await vi.waitUntil(() => catchesInterrupts(search.pid), { timeout: 60_000 });
      setTimeout(() => search.kill('SIGINT'), afterMs);
    }
    const [exit] = await once(search, 'close');
    return { exit, ...said };
  };

  test('while workers search', async () => {
    const folder = emptyFolder();
    const { exit, out, err } = await interrupted('firmware-update', folder);
    expect(out).toMatch(/^INTERRUPTED: nothing was found in \d+ orders?\n/);
    expect(err).toMatch(/^sampling: \d+ orders, .*\n/);
    expect(err).toMatch(/^interrupted: this is what was found so far$/m);
    expect(readFileSync(join(folder, 'j.xml'), 'utf8')).toContain('<error message="INTERRUPTED: ');
    expect(exit).toBe(130);
  });

  test('in the middle of a run that takes a minute', async () => {
    const folder = emptyFolder();
    const text = readFileSync(join(import.meta.dirname, '../../fixtures/scenarios/firmware-update.yaml'), 'utf8');
    writeFileSync(join(folder, 'x.yaml'), text.replaceAll('every 100ms', 'every 200us'));
    const { exit, out } = await interrupted('x.yaml', folder, 4000);
    expect(out).toMatch(/^INTERRUPTED: nothing was found in 0 orders\n/);
    expect(exit).toBe(130);
  });
});

describe('files', () => {
  test('JSON has everything but times, JUnit the verdict', () => {
    const folder = emptyFolder();
    const { out } = netvsim(['explore', ...RACE, '--orders', '20', '--json', '--junit', 'j.xml'], folder);
    expect(JSON.parse(out)).toMatchObject({
      format: 'netvsim explore',
      version: 1,
      guest: 'linux-6.12',
      without: ['vf-follows-netns'],
      transport: 'direct',
      verdict: 'fails',
      options: { strategy: 'portfolio', seed: 1, samples: 20 },
      found: [
        {
          number: expect.any(Number),
          smallest: { order: expect.stringMatching(/\w/), preemptions: expect.any(Number) },
          race: { object: expect.any(String), help: expect.any(String) },
        },
      ],
    });
    expect(readFileSync(join(folder, 'j.xml'), 'utf8')).toMatch(/failures="1"[\s\S]*<failure message="FAILS: /);
  });

  test('a limit is an error in JUnit', () => {
    const folder = emptyFolder();
    netvsim(['explore', 'vf-seen-before-join', '--max-steps', '40', '--orders', '2', '--junit', 'j.xml'], folder);
    expect(readFileSync(join(folder, 'j.xml'), 'utf8')).toContain('<error message="NO VERDICT: a run was given up');
  });
});

test('where nothing is found nothing is written, and that is said', () => {
  const folder = emptyFolder();
  const args = ['explore', 'd-22-vf-stopped-before-anybody-switches', '--orders', '5', '--record', 'o', '--html', 'p'];
  const { exit, err } = netvsim(args, folder);
  expect(exit).toBe(0);
  expect(err).toBe('p is not written: there is nothing to show\no is not written: there is nothing to show\n');
  expect(readdirSync(folder)).toEqual([]);
});

describe('wrong input', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['no such strategy', ['--strategy', 'pcr'], /--strategy.*none of them; nearest: pct/],
    ['no such guest', ['--guest', 'linux-6.22'], /no guest is called "linux-6\.22"; nearest: linux-6\.12/],
    ['no such fix', ['--without', 'post-init-slav'], /--without.*none of them; nearest: post-init-slave/],
    ['no such time', ['--time', 'never'], /--time.*none of them/],
    ['no such transport', ['--transport', 'byte'], /nearest: bytes/],
    ['no orders', ['--orders', '0'], /--orders.*whole number of 1 or more/],
    ['no orders at most', ['--max-orders', '0'], /--max-orders.*whole number of 1 or more/],
    ['no depth', ['--depth', '0'], /--depth.*whole number from 1 to 100/],
    ['no departures', ['--departures', '0'], /--departures.*whole number from 1 to 100/],
    ['no workers', ['--jobs', '0'], /--jobs.*whole number from 1 to 256/],
    ['no steps', ['--max-steps', '0'], /--max-steps.*whole number of 1 or more/],
    ['a seed that is no number', ['--seed', 'x'], /--seed.*whole number from 0/],
    ['a seed that is too large', ['--seed', '4294967296'], /--seed.*whole number from 0 to 4294967295/],
    ['two outputs into one file', ['--record', 'x', '--html', './x'], /is what --\w+ writes/],
    ['an output where there is no folder', ['--record', 'none/x'], /cannot write none\/x: none: there is no such file/],
  ])('%s', (_, args, message) => {
    const { exit, out, err } = netvsim(['explore', 'vf-seen-before-join', ...args], emptyFolder());
    expect(err).toMatch(message);
    expect([exit, out]).toEqual([2, '']);
    expect(err).not.toMatch(/^ +at |netvsim bug/m);
  });

  test.each<[readonly string[], RegExp]>([
    [['explore', 'none.yaml'], /^none\.yaml: there is no such file\n$/],
    [['explore'], /missing required argument 'file'/],
    [['replay', 'none'], /^none: there is no such file\n$/],
    [['replay', '.'], /^\.: is a directory\n$/],
    [['races', 'D-99'], /^no race is called "D-99"; nearest: D-\d\d\n$/],
    [['races', '--jobs', 'x'], /--jobs.*whole number/],
    [['run', 'vf-plug-join', '--order', 'a*x'], /"a\*x" is no choice such as netvsc_probe\*7/],
    [
      ['run', 'vf-plug-join', '--order', 'a', '--schedule', 'x'],
      /'--order <choices>' cannot be used with option '--schedule/,
    ],
  ])('%j', (args, message) => {
    const { exit, out, err } = netvsim(args, emptyFolder());
    expect(err).toMatch(message);
    expect([exit, out]).toEqual([2, '']);
  });
});
