/** `netvsim boot` in a pipe, as scripts have it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { emptyFolder, MAIN, type Outcome } from '../support/command.ts';

const ESCAPE = '\u001d';

/** Feeds it lines, to their end. */
function boot(lines: readonly string[], ...args: readonly string[]): Outcome {
  const input = lines.map((line) => `${line}\n`).join('');
  const done = spawnSync(process.execPath, [MAIN, 'boot', ...args], { encoding: 'utf8', input });
  return { exit: done.status, out: done.stdout, err: done.stderr };
}

test('lines are typed when the guest waits for one, and those behind Ctrl-] are for the host', () => {
  const lines = [
    'ip link set eth0 up',
    `${ESCAPE}host plug vf of nic1`,
    'sleep 2; ip -o link',
    'udhcpc -n -q -i eth0 -s /bin/true',
    `${ESCAPE}status`,
    `${ESCAPE}host revoke vf of nic1 by surprise`,
    'sleep 5; ip -o link',
  ];
  const { exit, out, err } = boot(lines);
  expect([exit, err]).toEqual([0, expect.not.stringContaining(' at ')]);
  const [withVf = '', without = ''] = out.split('sleep 5; ip -o link');
  expect(withVf).toMatch(/^netvsim:\/# ip link set eth0 up$/m);
  expect(withVf).toMatch(/eth0: Data path switched to VF: eth1$/m);
  expect(withVf).toMatch(/^3: eth1: <[A-Z,]*SLAVE[A-Z,_]*> .* master eth0 /m);
  expect(withVf).toMatch(/^nic1 +00:0d:3a:12:34:56 +offered, link up, path vf +10\.0\.1\.4 /m);
  expect(without).toMatch(/^2: eth0: /m);
  expect(without).not.toMatch(/^3: eth1: /m);
  expect(stripVTControlCharacters(out).replaceAll('\r', '')).toBe(out);
});

test('the same lines give the same output', () => {
  const lines = ['date; dd if=/dev/urandom bs=8 count=1 2>/dev/null | md5sum', `${ESCAPE}host rescind nic1`, 'dmesg'];
  const [first, second] = [boot(lines), boot(lines)];
  expect(first.exit).toBe(0);
  expect(second).toEqual(first);
});

test('what takes long is waited for, what reads gets the lines that follow, and their end', () => {
  const lines = ['sleep 30', 'cut -d. -f1 /proc/uptime', 'cat >one', 'two', '\u0004cat one; wc -l'];
  const { exit, out } = boot([...lines, 'three'], '--bare');
  expect(exit).toBe(0);
  expect(Number(/^(\d+)$/m.exec(out)?.[1])).toBeGreaterThan(29);
  expect(out).toMatch(/^netvsim:\/# cat one; wc -l\ntwo\nthree\n1$/m);
});

test('--for is what a line has', () => {
  const { exit, out } = boot(
    ['sleep 1000', '\u0003', 'cut -d. -f1 /proc/uptime', 'sleep 1; echo late'],
    '--bare',
    '--for',
    '2s',
  );
  expect(exit).toBe(0);
  expect(Number(/^(\d+)$/m.exec(out)?.[1])).toBeLessThan(10);
  expect(out).toMatch(/^late$/m);
});

test('what is no line of the host ends it with 2, and what the host refuses with 1', () => {
  const wrong = boot([`${ESCAPE}host plgu vf of nic1`, 'echo never'], '--bare');
  expect(wrong.exit).toBe(2);
  expect(wrong.err).toMatch(/^the host does not know "host plgu vf of nic1"; nearest: host plug vf of <nic> .*\n$/);
  expect(wrong.out).not.toContain('never');
  const refused = boot([`${ESCAPE}host rescind nic1`, 'echo later'], '--bare');
  expect([refused.exit, refused.err]).toEqual([1, 'host rescind nic1: the host refuses: nic1 is not offered\n']);
  expect(refused.out).toMatch(/^later$/m);
});

test('a guest that panics ends it with 1 and the last lines of its console', () => {
  const { exit, err } = boot(['echo c >/proc/sysrq-trigger', 'echo never'], '--bare');
  expect(exit).toBe(1);
  expect(err).toMatch(/---\[ end Kernel panic - not syncing: sysrq triggered crash \]---\n\nthe guest has panicked: /);
});

test('a snapshot is gone on from; one that is damaged or of other files is not', () => {
  const folder = emptyFolder();
  const file = join(folder, 'here.machine');
  const saved = boot([
    'ip link set eth0 up; kept=so',
    `${ESCAPE}host plug vf of nic1`,
    'sleep 2',
    `${ESCAPE}snapshot ${file}`,
  ]);
  expect([saved.exit, saved.out]).toEqual([0, expect.stringMatching(/here\.machine: \d+ MB$/m)]);
  const restored = boot(['echo is $kept', 'ip -o link', `${ESCAPE}status`], '--snapshot', file);
  expect(restored.exit).toBe(0);
  expect(restored.out).toMatch(/^is so$/m);
  expect(restored.out).toMatch(/^3: eth1: .* master eth0 /m);
  expect(restored.out).toMatch(/^nic1 .* path vf /m);

  const other = boot([], '--snapshot', file, '--initrd', file);
  expect(other).toEqual({
    exit: 2,
    out: '',
    err: `${file}: the snapshot is of another kernel, initrd, firmware or emulator\n`,
  });
  const nics = boot([], '--snapshot', file, '--nics', 'two-nics');
  expect([nics.exit, nics.err]).toEqual([2, expect.stringMatching(/other NICs.*\n$/)]);
  const bytes = readFileSync(file);
  for (const at of [10, 100, bytes.length >> 1, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    writeFileSync(file, damaged);
    const { exit, err } = boot([], '--snapshot', file);
    expect([at, exit, err]).toEqual([at, 2, expect.stringMatching(/^\S+here\.machine: .*\n$/)]);
  }
  writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
  expect(boot([], '--snapshot', file)).toMatchObject({ exit: 2, err: expect.stringMatching(/^\S+: .*damaged.*\n$/) });
});

test('NICs are those of a scenario where one is named', () => {
  const { exit, out } = boot(['ip -o link'], '--nics', 'two-nics');
  expect(exit).toBe(0);
  expect(out).toMatch(/^2: eth0: .*\n3: eth1: /m);
});

test('--cold boots anew', () => {
  const { exit, out } = boot(['cat /proc/uptime'], '--bare', '--cold');
  expect(exit).toBe(0);
  expect(out).toMatch(/^\d+\.\d+ \d+\.\d+$/m);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s ends it', async (signal) => {
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'boot', '--bare'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout?.on('data', (text) => {
    out += text;
    if (/^ready$/m.test(out)) child.kill(signal);
  });
  child.stderr?.on('data', (text) => {
    err += text;
  });
  child.stdin?.write('echo ready; sleep 1000000\n');
  const exit = await new Promise((resolve) => child.on('exit', resolve));
  expect({ exit, err }).toEqual({ exit: { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 }[signal], err: '' });
});
