import { expect, test } from 'vitest';
import { MAIN } from '../support/command.ts';
import { PseudoTerminal, pty, type TerminalOptions } from '../support/pseudo-terminal.ts';

const CTRL_C = '\u0003';

/** The built program. */
const inTerminal = (args: readonly string[], options: TerminalOptions = {}): PseudoTerminal =>
  new PseudoTerminal([process.execPath, MAIN, ...args], { cols: 200, ...options });

test('CI has a terminal to test in', () => {
  const missing = 'node-pty is not installed (it compiles on Linux: Debian packages python3, make, g++)';
  expect(pty !== undefined || process.env['CI'] !== 'true', missing).toBe(true);
});

test.runIf(pty !== undefined)('a terminal gets colour', async () => {
  const terminal = inTerminal(['run', 'vf-plug-join']);
  expect(await terminal.ended).toBe(0);
  expect(terminal.screen).toContain('\u001b[32mheld\u001b[0m');
});

test.runIf(pty !== undefined)('a drill shows how far it is, and cleans up after itself', async () => {
  const terminal = inTerminal(['drill', 'firmware-update', '--times', '900'], { cols: 50 });
  await terminal.see(/of virtual time/);
  // Often in the middle of a write.
  process.kill(terminal.pid, 'SIGINT');
  expect(await terminal.ended).toBe(130);
  const shown = terminal.screen.split('\r\u001b[K');
  expect(shown.at(-1)).toBe('interrupted: no verdict\r\n');
  const rounds = shown.filter((line) => line.startsWith('round'));
  expect(rounds[0]).toMatch(/^round \d+ of 900, \w+, .* of virtual time/);
  expect(Math.max(...rounds.map((line) => line.length))).toBeLessThanOrEqual(49);
});

/** A search that takes a minute and more: the whole drill, from its first step on. */
const LONG = ['explore', 'firmware-update'];

test.runIf(pty !== undefined)('a search shows how far it is; Ctrl-C ends it with what was found', async () => {
  const terminal = inTerminal(LONG);
  await terminal.see(/\] sampling: [1-9]\d* orders/);
  terminal.type(CTRL_C);
  expect(await terminal.ended).toBe(130);
  const { screen } = terminal;
  expect(screen).toMatch(/\[=* *\] sampling: \d+ orders, \d+ a second, 0 failing/);
  const shown = screen.slice(screen.lastIndexOf('\r\u001b[K') + 4);
  expect(shown).toMatch(/^INTERRUPTED: nothing was found in [\d,]+ orders?\r\n/);
  expect(shown).toMatch(/covered: the usual order.*\r\n {2}interrupted before the end\r\n/);
  expect(shown).toContain('interrupted: this is what was found so far');
});
