/** `netvsim invariants`: what is watched while a scenario runs, by name and by number of the reference's list. */
import type { Command } from 'commander';
import { asJson } from '../report/json.ts';
import { coveredBy, JUDGED_ELSEWHERE, LEFT_OUT, NUMBERS } from '../scenario/invariants/coverage.ts';
import { INVARIANTS } from '../scenario/invariants/invariants.ts';
import { formatEntry } from './list.ts';
import { print } from './terminal.ts';

export function addInvariants(program: Command): void {
  program
    .command('invariants')
    .description('list the invariants that can be watched, and what of the reference is not covered and why')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  netvsim invariants\n  netvsim explain path-agrees   # why it matters, and where it comes from',
    )
    .action((flags: { readonly json?: true }) => print(flags.json === true ? inJson() : inText()));
}

const entries = (reasons: Readonly<Record<string, string>>): string =>
  Object.entries(reasons)
    .map(([name, meaning]) => formatEntry({ name, meaning }))
    .join('');

function inText(): string {
  const named = INVARIANTS.map(({ name, covers, meaning }) => {
    return formatEntry({ name, meaning: `${covers.length === 0 ? '(of our own)' : covers.join(', ')}: ${meaning}` });
  });
  const covered = NUMBERS.filter((number) => coveredBy(number).length > 0).length;
  return [
    `${INVARIANTS.length} invariants, for ${covered} of the ${NUMBERS.length} numbers of the reference's list:\n${named.join('')}`,
    `judged, but by no name:\n${entries(JUDGED_ELSEWHERE)}`,
    `left out, because nothing in the model could break it:\n${entries(LEFT_OUT)}`,
  ].join('\n');
}

const inJson = (): string =>
  asJson('netvsim invariants', {
    invariants: INVARIANTS.map(({ start: _, ...told }) => told),
    judgedElsewhere: JUDGED_ELSEWHERE,
    leftOut: LEFT_OUT,
  });
