/** `netvsim boot` in a pseudo-terminal, as somebody who sits before it has it. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { MAIN } from '../support/command.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';

const ESCAPE = '\u001d';
const CTRL_C = '\u0003';
const PROMPT = /netvsim:\S+# /;

/** The shell says its terminal's settings, the program's process, how it ended, and the settings again. */
const AROUND = 'stty -g; sh -c \'echo "pid $$"; exec "$@"\' sh "$@"; echo "exit $?"; stty -g';

let terminal: PseudoTerminal | undefined;
afterEach(() => terminal?.kill());

interface Session {
  readonly terminal: PseudoTerminal;
  readonly pid: number;
  /** The exit code, and whether the terminal is as it was before. */
  readonly end: () => Promise<{ readonly exit: number; readonly isRestored: boolean }>;
}

async function boot(...args: readonly string[]): Promise<Session> {
  terminal = new PseudoTerminal(['sh', '-c', AROUND, 'sh', process.execPath, MAIN, 'boot', ...args]);
  const it = terminal;
  const before = /(\S+)\r\n/.exec(await it.see(/\S+\r\n/))?.[1];
  const pid = Number(/pid (\d+)/.exec(await it.see(/pid \d+\r\n/))?.[1]);
  await it.see(PROMPT);
  const end = async (): Promise<{ readonly exit: number; readonly isRestored: boolean }> => {
    const [, exit, after] = /exit (\d+)\r\n(\S+)\r\n/.exec(await it.see(/exit \d+\r\n\S+\r\n/)) ?? [];
    await it.ended;
    return { exit: Number(exit), isRestored: after === before };
  };
  return { terminal: it, pid, end };
}

/** Types a command and gives what it printed, up to the next prompt. */
async function run({ terminal: it }: Session, command: string): Promise<string> {
  it.type(`${command}\r`);
  await it.see(/\n/);
  return await it.see(PROMPT);
}

/** Keys that a hand presses: in one piece they would count as pasted, and a tab in it as a tab. */
async function press({ terminal: it }: Session, ...pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    it.type(piece);
    await new Promise((resume) => setTimeout(resume, 150));
  }
}

/** User and system time of a process so far, in ticks of 10 ms. proc_pid_stat(5), fields 14 and 15. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** The most memory that a process has had. */
const mostMegabytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

test('a user meets a stock kernel, gives it a VF and takes it away again', async () => {
  const session = await boot();
  const it = session.terminal;
  expect(it.screen).toMatch(/Linux 6\.1\.0-\d+-686 on netvsim's host, 192 MB, nic1 \(00:0d:3a:12:34:56, with a VF\)/);
  expect(await run(session, 'uname -r')).toMatch(/^6\.1\.0-\d+-686\r\n/);
  expect(await run(session, 'dmesg | grep -i hypervisor')).toContain('Hypervisor detected: Microsoft Hyper-V');
  await run(session, 'ip link set eth0 up');

  await press(session, ESCAPE);
  await it.see(/netvsim> /);
  await press(session, 'host pl\t', 'v\t', 'of n\t');
  await it.see(/host plug vf of nic1 /);
  await press(session, '\r');
  await it.see(/eth0: VF registering: eth1/);
  await it.see(/eth0: Data path switched to VF: eth1/);
  await press(session, 'host plgu vf of nic1\r');
  await it.see(/the host does not know "host plgu vf of nic1"; nearest: host plug vf of <nic>/);
  await press(session, 'status\r');
  await it.see(/nic1 +00:0d:3a:12:34:56 +offered, link up, path vf/);
  await it.see(/nic1\.vf +00:0d:3a:12:34:56 +in its slot, associated/);
  await press(session, '\r', '\r');
  await it.see(PROMPT);
  expect(await run(session, 'ip -o link')).toMatch(/eth1: <[A-Z,]*SLAVE[A-Z,_]*> .* master eth0 /);

  await press(session, ESCAPE, 'events on\r', 'host revoke vf of nic1\r');
  await it.see(/NVSP switchDataPath nic1/);
  await it.see(/Data path switched from VF: eth1/);
  await it.see(/nic1\.vf is gone/);
  await press(session, '\r', '\r');
  await it.see(PROMPT);
  expect(await run(session, 'ip -o link')).not.toContain('eth1');

  expect(mostMegabytes(session.pid)).toBeLessThan(600);
  await press(session, ESCAPE, 'quit\r');
  expect(await session.end()).toEqual({ exit: 0, isRestored: true });
});

test('the guest knows how large the terminal is, also when that changes', async () => {
  const session = await boot('--bare');
  const it = session.terminal;
  expect(await run(session, 'stty size')).toMatch(/^40 120\r\n/);
  it.resize(77, 22);
  await it.see(PROMPT);
  expect(await run(session, 'stty size')).toMatch(/^22 77\r\n/);
  await press(session, ESCAPE, 'quit\r');
  expect((await session.end()).exit).toBe(0);
});

test('what is pressed is for the guest: Ctrl-C, and Ctrl-] where it is pressed twice', async () => {
  const session = await boot('--bare');
  const it = session.terminal;
  it.type('echo ready; cat -v\r');
  await it.see(/\nready\r\n/);
  await press(session, ESCAPE, ESCAPE, 'x\r');
  await it.see(/\n\^\]x\r\n/);
  it.type(CTRL_C);
  await it.see(PROMPT);
  await press(session, ESCAPE, CTRL_C);
  await it.see(PROMPT);
  expect(await run(session, 'echo on')).toMatch(/on\r\n/);
  await press(session, ESCAPE, 'quit\r');
  expect(await session.end()).toEqual({ exit: 0, isRestored: true });
});

test('time passes as on the wall while the guest sleeps, and the processor of the host sleeps too', async () => {
  const session = await boot('--bare');
  const begun = performance.now();
  const printed = await run(session, 'time sleep 4');
  expect(performance.now() - begun).toBeGreaterThan(3900);
  expect(printed).toMatch(/real\s+0m 4\.0\ds/);
  const [ticks, at] = [ticksOf(session.pid), performance.now()];
  await new Promise((resume) => setTimeout(resume, 4000));
  const share = ((ticksOf(session.pid) - ticks) * 10) / (performance.now() - at);
  expect(share).toBeLessThan(0.5);
  await press(session, ESCAPE, 'quit\r');
  await session.end();
});

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const)('%s ends the session and leaves the terminal as it was', async (signal, exit) => {
  const session = await boot('--bare');
  process.kill(session.pid, signal);
  expect(await session.end()).toEqual({ exit, isRestored: true });
});

test.each([
  ['poweroff -f', /the guest has switched itself off/, 0],
  ['reboot -f', /the guest wants to begin anew/, 0],
  ['echo c >/proc/sysrq-trigger', /the guest has panicked: .*sysrq triggered crash/, 1],
] as const)('%s ends the session and leaves the terminal as it was', async (command, said, exit) => {
  const session = await boot('--bare');
  session.terminal.type(`${command}\r`);
  await session.terminal.see(said);
  expect(await session.end()).toEqual({ exit, isRestored: true });
});

test('--for ends the session', async () => {
  const session = await boot('--bare', '--for', '1s');
  expect(await session.end()).toEqual({ exit: 0, isRestored: true });
});
