/** `netvsim compare` where nothing can be compared: said before anything runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, netvsim } from '../support/command.ts';

const compare = (...args: readonly string[]) => netvsim(['compare', '--cache', emptyFolder(), ...args]);

test.each([
  [['vf-plug-jion'], /^vf-plug-jion: there is no such file, .*; nearest: vf-plug-join$/],
  [['vf-plug-join'], /^no kernel is installed in \S+: run 'netvsim kernel install'$/],
  [
    ['notifier-registered-late'],
    /: cannot be compared: fixes: notifier-before-driver cannot be switched off in a built kernel$/m,
  ],
  [
    ['vf-open-fails'],
    /: cannot be compared: line \d+: "guest fail ndo_open .*": a call inside of a real guest's kernel/,
  ],
  [
    ['host-silent-during-probe'],
    /: cannot be compared: line 13: "host fall silent to nic1\.vf": there is no vPCI channel/,
  ],
  [['--cache', '', 'vf-plug-join'], /^--cache: an empty text is no directory name$/],
])('%j is said in a line each, and exit 2', (args, complaint) => {
  const { exit, out, err } = compare(...args);
  expect(err.trimEnd()).toMatch(complaint);
  expect(
    err
      .trimEnd()
      .split('\n')
      .every((line) => complaint.test(line) || line.includes('cannot be compared')),
  ).toBe(true);
  expect([exit, out]).toEqual([2, '']);
});

test('a scenario that is wrong is told of as everywhere', () => {
  const file = join(emptyFolder(), 'wrong.yaml');
  writeFileSync(
    file,
    'name: x\nabout: y\nnics: { nic1: { mac: "00:0d:3a:12:34:56" } }\nsteps: |\n  +0ms  host offre nic1\n',
  );
  const { exit, err } = compare(file);
  expect([exit, err]).toEqual([
    2,
    expect.stringMatching(/wrong\.yaml:5: no step reads "host offre nic1"; nearest: host offer/),
  ]);
});

test('the help says what is compared, what the marks mean, and how to call it', () => {
  const { exit, out } = netvsim(['compare', '--help']);
  expect(exit).toBe(0);
  for (const words of ['Times are not compared', '> only the real kernel', 'netvsim compare vf-plug-join']) {
    expect(out).toContain(words);
  }
});
