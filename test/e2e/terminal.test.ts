import { expect, test, vi } from 'vitest';
import { MAIN } from '../support/command.ts';

// Each test starts the whole program, some of them several times.
vi.setConfig({ testTimeout: 60_000 });

type NodePty = typeof import('node-pty');

/** node-pty is an optional dependency: without it there is no terminal to test in, which CI does not accept. */
const pty: NodePty | undefined = await import('node-pty').catch(() => undefined);

interface Session {
  readonly screen: string;
  readonly exit: number;
}

/** Runs the built program in a pseudo-terminal. */
function inTerminal({ spawn }: NodePty, args: readonly string[], cols = 200): Promise<Session> {
  return new Promise((resolve) => {
    const env = { ...process.env, TERM: 'xterm-256color' };
    delete (env as Record<string, unknown>)['NO_COLOR'];
    const terminal = spawn(process.execPath, [MAIN, ...args], { cols, rows: 50, env });
    let screen = '';
    terminal.onData((data) => {
      screen += data;
    });
    terminal.onExit(({ exitCode }) => resolve({ screen, exit: exitCode }));
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
    const { screen, exit } = await inTerminal(pty as NodePty, ['drill', 'firmware-update', '--times', '8'], 50);
    expect(exit).toBe(0);
    expect(screen).toMatch(/round \d+ of 8, \w+, .* of virtual time/);
    const shown = screen.split('\r\u001b[K').filter((line) => line.startsWith('round'));
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(49);
    expect(screen.lastIndexOf('\r\u001b[K')).toBeGreaterThan(screen.lastIndexOf('of virtual time'));
  },
  120_000,
);
