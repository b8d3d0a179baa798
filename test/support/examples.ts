/** The examples of README and `--help`, which tests run as they stand there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { netvsim } from './command.ts';

export const ROOT = join(import.meta.dirname, '../..');

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The README's blocks in a language, without their fences. */
export const blocks = (language: string): readonly string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((block) => block[1] ?? '');

/** The README's sessions: each a list of command lines. */
export const sessions: readonly (readonly string[])[] = blocks('console').map((block) =>
  block
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2)),
);

export interface Example {
  /** As it stands there, without its comment. */
  readonly command: string;
  readonly args: readonly string[];
  readonly exit: number;
}

/** `netvsim run x --guest y   # exits 1`: without a comment it ends with 0. */
export function readExample(line: string): Example {
  const [command = '', comment = ''] = line.split(/\s+#\s*/);
  const args = command
    .replace(/ > \S+$/, '')
    .split(/\s+/)
    .slice(1);
  return { command, args, exit: Number(/^exits (\d+)/.exec(comment)?.[1] ?? 0) };
}

/** Whether a line runs only where a kernel is installed: those are tried in test/real. */
export const needsKernel = (line: string): boolean => /\bnetvsim (?:kernel|boot|compare)\b/.test(line);

/** Every command there is, found by asking for help. */
export function commandsBelow(path: readonly string[]): readonly (readonly string[])[] {
  const { out } = netvsim([...path, '--help']);
  const listed = out.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  const names = [...listed.matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map((line) => line[1] ?? '')
    .filter((name) => name !== 'help');
  return [path, ...names.flatMap((name) => commandsBelow([...path, name]))];
}

/** The lines of a command's `--help` below its "Examples:". */
export function examplesOf(path: readonly string[]): readonly string[] {
  const { out } = netvsim([...path, '--help']);
  const lines = (out.split('\nExamples:\n')[1] ?? '').split('\n\n')[0]?.split('\n') ?? [];
  return lines.map((line) => line.trim()).filter((line) => /\bnetvsim /.test(line));
}
