import { describe, expect, test } from 'vitest';
import { NUMBERS } from '../../src/scenario/invariants/coverage.ts';
import { INVARIANTS } from '../../src/scenario/invariants/invariants.ts';
import { netvsim } from '../support/command.ts';

describe('netvsim invariants', () => {
  test('shows each by name, number and sentence, and every number of the reference', () => {
    const { exit, out, err } = netvsim(['invariants']);
    expect([exit, err]).toEqual([0, '']);
    const lines = out.split('\n');
    for (const { name, covers, meaning } of INVARIANTS) {
      const line = lines.find((each) => each.trim().split(/ +/)[0] === name);
      expect(line).toContain(meaning);
      for (const number of covers) expect(line).toContain(number);
    }
    for (const number of NUMBERS) expect(out).toContain(number);
  });

  test('says why a number is not covered', () => {
    const { out } = netvsim(['invariants']);
    const [, leftOut = ''] = out.split('left out, because');
    expect(leftOut).toMatch(/INV-C1 +sub-channels are not modelled\n/);
    expect(leftOut).not.toContain('INV-V1');
  });

  test('as JSON, with all that there is to say', () => {
    const told = JSON.parse(netvsim(['invariants', '--json']).out);
    expect(told).toMatchObject({ format: 'netvsim invariants', version: 1 });
    expect(told.invariants).toHaveLength(INVARIANTS.length);
    expect(Object.keys(told.invariants[0]).sort()).toEqual([
      'covers',
      'meaning',
      'name',
      'notOn',
      'races',
      'source',
      'why',
    ]);
    expect(Object.keys(told.judgedElsewhere)).toContain('INV-L1');
    expect(Object.keys(told.leftOut)).toContain('INV-C1');
  });

  test('list knows the same names', () => {
    const { invariants } = JSON.parse(netvsim(['list', 'invariants', '--json']).out);
    expect(invariants.map(({ name }: { name: string }) => name)).toEqual(INVARIANTS.map(({ name }) => name));
  });
});

describe('netvsim explain', () => {
  test('an invariant: what, why, number, source, races, fixes', () => {
    const { exit, out } = netvsim(['explain', 'stop-on-synthetic']);
    expect(exit).toBe(0);
    expect(out).toMatch(/^stop-on-synthetic \(invariants\)\n {2}A joined VF goes down only while/);
    expect(out).toMatch(/^ {2}why +Between the VF's stop and the switch /m);
    expect(out).toMatch(/^ {2}numbers +INV-P4\n {2}source +Linux 34b06a2eee44\n {2}known races +D-21, D-22\n/m);
    expect(out).toMatch(/^ {2}fixes +switch-before-stop\n/m);
  });

  test('a fix: its commit, who has it, and which invariants it is for', () => {
    const { explanations } = JSON.parse(netvsim(['explain', 'post-init-slave', '--json']).out);
    expect(explanations).toEqual([
      {
        name: 'post-init-slave',
        kind: 'fixes',
        meaning: 'IFF_SLAVE is set at NETDEV_POST_INIT, before user mode can see the VF',
        details: {
          commit: 'Linux c807d6cd089d',
          guests: ['linux-6.1', 'linux-6.12'],
          guestsWithout: ['linux-5.15'],
          invariants: ['flagged-before-visible'],
        },
      },
    ]);
  });

  test('a verb by its first words, a delay, a number of the reference, a known race', () => {
    expect(netvsim(['explain', 'host', 'plug']).out).toMatch(
      /^host plug vf of <nic>.* \(verbs\)\n {2}the usual arrival/,
    );
    expect(netvsim(['explain', 'vf.probe']).out).toMatch(/^vf\.probe \(latency\)\n/);
    expect(netvsim(['explain', 'INV-V1']).out).toMatch(/^flagged-before-visible /);
    expect(netvsim(['explain', 'INV-C1']).out).toBe('INV-C1 (numbers)\n  left out: sub-channels are not modelled\n');
    expect(netvsim(['explain', 'D-13']).out).toMatch(/^no-panic /);
  });

  test.each([
    [['path-agress'], /^there is no name "path-agress"; nearest: path-agrees\n$/],
    [['host', 'plgu'], /^there is no name "host plgu"; nearest: host plug/],
    [['INV-V9'], /nearest: INV-V1, INV-V2, INV-V3\n$/],
    [['nothing-of-the-kind-at-all'], /; netvsim list shows what there is\n$/],
    [['x'.repeat(5000)], /^there is no name "x+ \.\.\.\n$/],
    [['a\u001b[2Jb'], /^there is no name "a\?\[2Jb";/],
  ])('nobody knows %j', (words, message) => {
    const { exit, out, err } = netvsim(['explain', ...words]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

test('a run that breaks an invariant says how to learn more of it', () => {
  const { err } = netvsim(['run', 'vf-seen-before-join', '--guest', 'linux-5.15']);
  expect(err).toContain('why that matters, and its source: netvsim explain one-lease-per-mac\n');
});
