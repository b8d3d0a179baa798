#!/usr/bin/env node
/** The program: commands, and what its exit codes mean (design, section 5). */
import { Command, CommanderError } from 'commander';
import { addCheck } from './check.ts';
import { addDrill } from './drill.ts';
import { EXIT, InputError } from './input-error.ts';
import { addList } from './list.ts';
import { version } from './package-files.ts';
import { addRun } from './run.ts';
import { addSysfs } from './sysfs.ts';
import { complain, endQuietlyWhenNobodyReads } from './terminal.ts';
import { addTrace } from './trace.ts';

function buildProgram(end: (exit: number) => void): Command {
  const program = new Command('netvsim')
    .description('Emulates the network devices of a Hyper-V virtual machine, and the orders in which they come and go')
    .version(version())
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      `
Examples:
  netvsim list scenarios
  netvsim run vf-plug-join
  netvsim drill firmware-update --order surprise

Exit codes: 0 held, 1 failed, 2 wrong input, 3 a limit was reached before the verdict, 70 a bug in netvsim.`,
    );
  addRun(program, end);
  addDrill(program, end);
  addList(program);
  addCheck(program, end);
  addTrace(program, end);
  addSysfs(program, end);
  for (const command of allOf(program)) command.exitOverride();
  return program;
}

const allOf = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(allOf)];

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.held : EXIT.wrongInput;
  if (error instanceof InputError) {
    complain(error.message);
    return EXIT.wrongInput;
  }
  complain(`netvsim bug: ${error instanceof Error ? error.stack : String(error)}`);
  return EXIT.bug;
}

function main(): void {
  endQuietlyWhenNobodyReads();
  let exit: number = EXIT.held;
  try {
    buildProgram((code) => {
      exit = code;
    }).parse();
  } catch (error) {
    exit = explain(error);
  }
  process.exitCode = exit;
}

main();
