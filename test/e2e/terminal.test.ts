import { expect, test } from 'vitest';
import { MAIN } from '../support/command.ts';

type NodePty = typeof import('node-pty');

/** node-pty is an optional dependency: without it there is no terminal to test in, which CI does not accept. */
const pty: NodePty | undefined = await import('node-pty').catch(() => undefined);

interface Session {
  readonly screen: string;
  readonly exit: number;
  /** From what was typed to the end. */
  readonly millisecondsAfter: number;
}

const CTRL_C = '\u0003';

interface Terminal {
  readonly cols?: number;
  /** What is typed as soon as this is on the screen. */
  readonly typed?: { readonly at: RegExp; readonly keys: string };
}

/** Runs the built program in a pseudo-terminal. */
function inTerminal(
  { spawn }: NodePty,
  args: readonly string[],
  { cols = 200, typed }: Terminal = {},
): Promise<Session> {
  return new Promise((resolve) => {
    const env = { ...process.env, TERM: 'xterm-256color' };
    delete (env as Record<string, unknown>)['NO_COLOR'];
    const terminal = spawn(process.execPath, [MAIN, ...args], { cols, rows: 50, env });
    let screen = '';
    let typedAt = Number.NaN;
    terminal.onData((data) => {
      screen += data;
      if (typed === undefined || !Number.isNaN(typedAt) || !typed.at.test(screen)) return;
      typedAt = performance.now();
      terminal.write(typed.keys);
    });
    terminal.onExit(({ exitCode: exit }) => resolve({ screen, exit, millisecondsAfter: performance.now() - typedAt }));
  });
}

test('CI has a terminal to test in', () => {
  const missing = 'node-pty is not installed (it compiles on Linux: Debian packages python3, make, g++)';
  expect(pty !== undefined || process.env['CI'] !== 'true', missing).toBe(true);
});

test.runIf(pty !== undefined)('a terminal gets colour', async () => {
  const { screen, exit } = await inTerminal(pty as NodePty, ['run', 'vf-plug-join']);
  expect(exit).toBe(0);
  expect(screen).toContain('\u001b[32mheld\u001b[0m');
});

test.runIf(pty !== undefined)(
  'what takes long says how far it is, and cleans up after itself',
  async () => {
    const { screen, exit } = await inTerminal(pty as NodePty, ['drill', 'firmware-update', '--times', '8'], {
      cols: 50,
    });
    expect(exit).toBe(0);
    expect(screen).toMatch(/round \d+ of 8, \w+, .* of virtual time/);
    const shown = screen.split('\r\u001b[K').filter((line) => line.startsWith('round'));
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(49);
    expect(screen.lastIndexOf('\r\u001b[K')).toBeGreaterThan(screen.lastIndexOf('of virtual time'));
  },
  120_000,
);

/** A search that takes a minute and more: the whole drill, from its first step on. */
const LONG = ['explore', 'firmware-update'];

test.runIf(pty !== undefined)(
  'a search shows how far it is; Ctrl-C ends it in a moment, with what was found',
  async () => {
    const typed = { at: /\] sampling: [1-9]\d* orders/, keys: CTRL_C };
    const { screen, exit, millisecondsAfter } = await inTerminal(pty as NodePty, LONG, { typed });
    expect(screen).toMatch(/\[=* *\] sampling: \d+ orders, \d+ a second, 0 failing/);
    expect(exit).toBe(130);
    expect(millisecondsAfter).toBeLessThan(5000);
    const shown = screen.slice(screen.lastIndexOf('\r\u001b[K') + 4);
    expect(shown).toMatch(/^INTERRUPTED: nothing was found in [\d,]+ orders?\r\n/);
    expect(shown).toMatch(/covered: the usual order.*\r\n {2}interrupted before the end\r\n/);
    expect(shown).toContain('interrupted: this is what was found so far');
  },
);
