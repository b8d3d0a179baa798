import { expect, test } from 'vitest';
import { MAIN } from '../support/command.ts';

type NodePty = typeof import('node-pty');

/** node-pty is an optional dependency: without it there is no terminal to test in, which CI does not accept. */
const pty: NodePty | undefined = await import('node-pty').catch(() => undefined);

interface Session {
  readonly screen: string;
  readonly exit: number;
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
    let isTyped = false;
    terminal.onData((data) => {
      screen += data;
      if (typed === undefined || isTyped || !typed.at.test(screen)) return;
      isTyped = true;
      terminal.write(typed.keys);
    });
    terminal.onExit(({ exitCode: exit }) => resolve({ screen, exit }));
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

test.runIf(pty !== undefined)('a drill shows how far it is, and cleans up after itself', async () => {
  const typed = { at: /of virtual time/, keys: CTRL_C };
  const drill = ['drill', 'firmware-update', '--times', '900'];
  const { screen, exit } = await inTerminal(pty as NodePty, drill, { cols: 50, typed });
  expect(exit).toBe(130);
  const shown = screen.split('\r\u001b[K');
  expect(shown.at(-1)).toBe('interrupted: no verdict\r\n');
  // The terminal itself shows what is typed.
  const rounds = shown.filter((line) => line.startsWith('round')).map((line) => line.replace('^C', ''));
  expect(rounds[0]).toMatch(/^round \d+ of 900, \w+, .* of virtual time/);
  expect(Math.max(...rounds.map((line) => line.length))).toBeLessThanOrEqual(49);
});

/** A search that takes a minute and more: the whole drill, from its first step on. */
const LONG = ['explore', 'firmware-update'];

test.runIf(pty !== undefined)('a search shows how far it is; Ctrl-C ends it with what was found', async () => {
  const typed = { at: /\] sampling: [1-9]\d* orders/, keys: CTRL_C };
  const { screen, exit } = await inTerminal(pty as NodePty, LONG, { typed });
  expect(screen).toMatch(/\[=* *\] sampling: \d+ orders, \d+ a second, 0 failing/);
  expect(exit).toBe(130);
  const shown = screen.slice(screen.lastIndexOf('\r\u001b[K') + 4);
  expect(shown).toMatch(/^INTERRUPTED: nothing was found in [\d,]+ orders?\r\n/);
  expect(shown).toMatch(/covered: the usual order.*\r\n {2}interrupted before the end\r\n/);
  expect(shown).toContain('interrupted: this is what was found so far');
});
