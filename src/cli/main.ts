#!/usr/bin/env node
/** The program: commands, and what its exit codes mean . */
import { Command, CommanderError } from 'commander';
import { interruptible, isInterrupt } from '../campaign/interruptible.ts';
import { addBoot } from './boot.ts';
import { addCheck } from './check.ts';
import { addCompare } from './compare.ts';
import { addDrill } from './drill.ts';
import { addExplain } from './explain.ts';
import { addExplore } from './explore.ts';
import { EXIT, InputError } from './input-error.ts';
import { addInvariants } from './invariants.ts';
import { addKernel } from './kernel.ts';
import { addList } from './list.ts';
import { addMatrix } from './matrix.ts';
import { version } from './package-files.ts';
import { clearProgress } from './progress.ts';
import { addRaces } from './races.ts';
import { addReplay } from './replay.ts';
import { addRun } from './run.ts';
import { addSysfs } from './sysfs.ts';
import { complain, complainAtOnce, endWhenNobodyReads } from './terminal.ts';
import { addTrace } from './trace.ts';
import { dropDraft } from './write-file.ts';

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

Exit codes: 0 held, 1 failed, 2 wrong input, 3 a limit was reached before the verdict, 70 a bug in netvsim,
130 interrupted.`,
    );
  addRun(program, end);
  addExplore(program, end);
  addReplay(program, end);
  addRaces(program, end);
  addMatrix(program, end);
  addDrill(program, end);
  addList(program);
  addInvariants(program);
  addExplain(program);
  addCheck(program, end);
  addTrace(program, end);
  addSysfs(program, end);
  addKernel(program, end);
  addBoot(program, end);
  addCompare(program, end);
  for (const command of allOf(program)) command.exitOverride();
  return program;
}

const allOf = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(allOf)];

function explain(error: unknown): number {
  if (isInterrupt(error)) {
    dropDraft();
    clearProgress();
    complainAtOnce('interrupted: no verdict\n');
    return EXIT.interrupted;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.held : EXIT.wrongInput;
  if (error instanceof InputError) {
    complain(error.message);
    return EXIT.wrongInput;
  }
  complain(`netvsim bug: ${error instanceof Error ? error.stack : String(error)}`);
  return EXIT.bug;
}

async function main(): Promise<void> {
  endWhenNobodyReads();
  let exit: number = EXIT.held;
  const program = buildProgram((code) => {
    exit = code;
  });
  try {
    // Most commands never come back to the event loop, where a handler of Ctrl-C would be called.
    await interruptible(() => program.parseAsync());
  } catch (error) {
    exit = explain(error);
  }
  process.exitCode = exit;
}

await main();
