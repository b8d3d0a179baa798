import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatSchedule, parseSchedule } from '../../src/explore/schedule-text.ts';
import { emptyFolder, MAIN, netvsim } from '../support/command.ts';

const scenarios = readdirSync(join(import.meta.dirname, '../../fixtures/scenarios')).map((file) =>
  file.replace('.yaml', ''),
);

describe('shipped scenarios', () => {
  test.each(scenarios)('%s holds', (name) => {
    const { exit, out, err } = netvsim(['run', name]);
    expect(`${out.split('\n\n')[0]}${err}`).toMatch(/^held: /);
    expect(exit).toBe(0);
  });

  test('the seed: an old kernel shows the VF before it is flagged', () => {
    const { exit, out, err } = netvsim(['run', 'vf-seen-before-join', '--guest', 'linux-5.15']);
    expect(exit).toBe(1);
    expect(out).toMatch(/^FAILED: /);
    expect(out).toContain('flagged-before-visible: nic1.vf');
    expect(err).toContain('reproduce with: netvsim run vf-seen-before-join --guest linux-5.15\n');
  });
});

describe('what a run leaves', () => {
  test('the same command gives the same files, byte for byte', () => {
    const folder = emptyFolder();
    const outputs = (n: number) => ['--trace', `t${n}`, '--junit', `j${n}`, '--record', `r${n}`];
    const first = netvsim(['run', 'vf-plug-join', ...outputs(1)], folder);
    const again = netvsim(['run', 'vf-plug-join', ...outputs(2)], folder);
    expect(first).toMatchObject({ exit: 0, err: '' });
    expect(again.out).toBe(first.out);
    for (const kind of ['t', 'j', 'r']) {
      expect(readFileSync(join(folder, `${kind}1`))).toEqual(readFileSync(join(folder, `${kind}2`)));
    }
    expect(readdirSync(folder).sort()).toEqual(['j1', 'j2', 'r1', 'r2', 't1', 't2']);
  });

  test('two traces are compared', () => {
    const folder = emptyFolder();
    netvsim(['run', 'vf-seen-before-join', '--trace', 'a'], folder);
    netvsim(['run', 'vf-seen-before-join', '--trace', 'b', '--guest', 'linux-5.15'], folder);
    expect(netvsim(['trace', 'diff', 'a', 'a'], folder)).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^the same/),
    });
    const { exit, out } = netvsim(['trace', 'diff', 'a', 'b'], folder);
    expect(exit).toBe(1);
    expect(out).toMatch(/^- a\n\+ b\nguest: linux-6\.12 \| linux-5\.15\nfirst difference: event \d+, at /);
  });

  test('a recorded order runs again, and fits no other run', () => {
    const folder = emptyFolder();
    const first = netvsim(['run', 'vf-plug-join', '--record', 'order', '--json'], folder);
    const again = netvsim(['run', 'vf-plug-join', '--schedule', 'order', '--json'], folder);
    expect(again).toMatchObject({ exit: 0, err: '' });
    expect(JSON.parse(again.out).events).toEqual(JSON.parse(first.out).events);
    const other = netvsim(['run', 'two-nics', '--schedule', 'order'], folder);
    expect(other.exit).toBe(2);
    expect(other.err).toMatch(/^order: is an order of scenario "/);
    const text = readFileSync(join(folder, 'order'), 'utf8');
    writeFileSync(join(folder, 'cut'), text.slice(0, text.length / 2));
    expect(netvsim(['run', 'vf-plug-join', '--schedule', 'cut'], folder)).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/^cut: is cut off/),
    });
    writeFileSync(join(folder, 'bent'), text.replace(/choices: >-\n {2}\S+/, 'choices: >-\n  nobody'));
    expect(netvsim(['run', 'vf-plug-join', '--schedule', 'bent'], folder)).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/^bent: (was edited: |is cut off: )/),
    });
    const parsed = parseSchedule(text, 'order');
    if (!parsed.ok) throw new Error('it reads no more');
    const choices = [{ context: 'nobody', times: 1 }, ...parsed.value.choices];
    writeFileSync(join(folder, 'other'), formatSchedule({ ...parsed.value, choices }));
    expect(netvsim(['run', 'vf-plug-join', '--schedule', 'other'], folder)).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/^other: does not fit this run: step 1: the schedule says nobody, but only /),
    });
  });

  test('a trace can be shown, as a timeline and as JSON', () => {
    const folder = emptyFolder();
    const { out } = netvsim(['run', 'vf-plug-join', '--trace', 't'], folder);
    const shown = netvsim(['trace', 't'], folder);
    expect(shown.out.split('\n\n')[1]).toBe(out.split('\n\n')[1]);
    expect(JSON.parse(netvsim(['trace', 't', '--json'], folder).out).events.length).toBeGreaterThan(50);
    expect(netvsim(['trace', '--schema']).out).toContain('syntax = "proto3"');
  });

  test('a limit of steps ends with 3 and names who still runs', () => {
    const { exit, out } = netvsim(['run', 'vf-plug-join', '--max-steps', '40']);
    expect(exit).toBe(3);
    expect(out).toMatch(/^NO VERDICT: .*\n {2}limit reached: 40 steps were done by .* and these still run: \w/);
  });

  test('logs go to standard error, a line of JSON each', () => {
    const { err } = netvsim(['run', 'vf-plug-join', '--log-level', 'info']);
    const lines = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; kind: string });
    expect(lines.length).toBeGreaterThan(10);
    expect(lines[0]).not.toHaveProperty('pid');
  });
});

describe('sysfs', () => {
  test('the tree right after an event', () => {
    const folder = emptyFolder();
    const args = ['sysfs', 'vf-plug-join', '--at', 'uevent.add:nic1.vf', '--out', 'sys'];
    expect(netvsim(args, folder)).toMatchObject({ exit: 0, err: '' });
    const names = readdirSync(join(folder, 'sys/class/net'));
    expect(names.length).toBe(3);
    const flags = names.map((name) => readFileSync(join(folder, 'sys/class/net', name, 'flags'), 'utf8').trim());
    expect(flags.filter((text) => (Number(text) & 0x800) !== 0)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['sys']);
  });

  test('an event that does not happen', () => {
    const folder = emptyFolder();
    const { exit, err } = netvsim(['sysfs', 'vf-plug-join', '--at', 'uevent.add:nic1.vf#7', '--out', 'sys'], folder);
    expect(exit).toBe(1);
    expect(err).toMatch(/happens only once in this run/);
    expect(existsSync(join(folder, 'sys'))).toBe(false);
  });
});

describe('the program itself', () => {
  test('help has examples, for every command', () => {
    for (const args of [[], ['run'], ['list'], ['check'], ['drill', 'firmware-update'], ['trace'], ['sysfs']]) {
      const { exit, out } = netvsim([...args, '--help']);
      expect(exit).toBe(0);
      expect(out).toContain('Examples:');
    }
    expect(netvsim(['--version']).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('list tells what a scenario can name', () => {
    const { out } = netvsim(['list']);
    for (const section of ['scenarios:', 'guests:', 'devices:', 'invariants:', 'verbs:'])
      expect(out).toContain(section);
    expect(JSON.parse(netvsim(['list', 'verbs', '--json']).out).verbs.length).toBeGreaterThan(25);
    expect(netvsim(['list', 'messages']).out).toMatch(/^ {2}sendVfAssociation +NVSP from the host, of nic1$/m);
    expect(netvsim(['list', 'requests']).out).toMatch(
      /^ {2}busD0Entry +vPCI; fails with unsuccessful, revisionMismatch$/m,
    );
    expect(netvsim(['list', 'calls']).out).toMatch(/^ {2}ndo_open +when it fails: /m);
  });

  test('the schema is JSON', () => {
    expect(JSON.parse(netvsim(['check', '--schema']).out)).toHaveProperty('properties.nics');
  });

  test('a reader that goes away is no failure', () => {
    const command = `"${process.execPath}" "${MAIN}" run firmware-update --json; echo "exit $?" >&2`;
    const done = spawnSync('bash', ['-c', `{ ${command}; } | head -c 9`], { encoding: 'utf8' });
    expect(done.stdout).toBe('{\n  "form');
    expect(done.stderr).toBe('exit 0\n');
  });

  test.runIf(existsSync('/dev/full'))('a disk that is full is said', () => {
    const done = spawnSync('bash', ['-c', `"${process.execPath}" "${MAIN}" list > /dev/full`], { encoding: 'utf8' });
    expect([done.status, done.stderr]).toEqual([2, 'cannot write the output: the disk is full\n']);
  });

  test.skipIf(process.platform === 'win32')('files can be what a shell hands over', () => {
    const folder = emptyFolder();
    const command = `"${process.execPath}" "${MAIN}" run <(cat "$0") --junit >(cat > j) && wait && sleep 0.2`;
    const scenario = join(import.meta.dirname, '../../fixtures/scenarios/vf-plug-join.yaml');
    expect(spawnSync('bash', ['-c', command, scenario], { cwd: folder, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(readFileSync(join(folder, 'j'), 'utf8')).toContain('failures="0"');
  });
});
