/** `netvsim check`: whether scenario files can be run, without running them. */
import type { Command } from 'commander';
import { scenarioSchema } from '../scenario/header.ts';
import { loadScenario } from '../scenario/load.ts';
import { formatProblem } from '../scenario/problem.ts';
import { EXIT, InputError } from './input-error.ts';
import { VOCABULARY } from './model.ts';
import { readScenario, scenarioFile } from './package-files.ts';
import { complain, print } from './terminal.ts';

export function addCheck(program: Command, end: (exit: number) => void): void {
  program
    .command('check')
    .description('say what is wrong with scenario files, all of it, without running them')
    .argument('[files...]', 'scenario files, or names of shipped ones')
    .option('--schema', "print the JSON Schema of a scenario's header, for editors")
    .addHelpText(
      'after',
      '\nExamples:\n  netvsim check my.yaml other.yaml\n  netvsim check --schema > netvsim.schema.json',
    )
    .action((files: readonly string[], flags: { readonly schema?: true }) => end(check(files, flags.schema === true)));
}

function check(files: readonly string[], schema: boolean): number {
  if (schema) {
    print(`${JSON.stringify(scenarioSchema(), null, 2)}\n`);
    return EXIT.held;
  }
  if (files.length === 0) throw new InputError('check needs a file, or --schema');
  const bad = files.map(scenarioFile).filter((file) => !checkFile(file));
  return bad.length === 0 ? EXIT.held : EXIT.wrongInput;
}

function checkFile(file: string): boolean {
  try {
    const loaded = loadScenario(readScenario(file), file, VOCABULARY);
    if (loaded.ok) print(`${file}: good (${loaded.value.steps.length} steps)\n`);
    else complain(loaded.error.map(formatProblem).join('\n'));
    return loaded.ok;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain(error.message);
    return false;
  }
}
