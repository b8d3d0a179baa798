/** `netvsim list`: everything that a scenario can name. */
import type { Command } from 'commander';
import { formatDuration } from '../base/time.ts';
import { FALLIBLE_CALLS } from '../guest/linux/faults.ts';
import {
  FAILURES,
  FAULT_POINTS,
  type FaultPoint,
  isAnsweredEmpty,
  protocolOf,
  requestsOf,
} from '../host/fault-points.ts';
import { FAMILIES, GUESTS } from '../machine/guests.ts';
import { asJson } from '../report/json.ts';
import { INVARIANTS } from '../scenario/invariants/invariants.ts';
import { loadScenario } from '../scenario/load.ts';
import { unknownName } from '../scenario/problem.ts';
import { NEEDS } from '../scenario/scenario.ts';
import { VERBS } from '../scenario/verbs.ts';
import { titlesWith } from '../scenario/vocabulary.ts';
import { LATENCY } from '../sim/latency.ts';
import { InputError } from './input-error.ts';
import { CATALOGUE, VOCABULARY } from './model.ts';
import { shippedScenarios } from './package-files.ts';
import { readText } from './read-file.ts';
import { print, wrap } from './terminal.ts';

interface Entry {
  readonly name: string;
  readonly meaning: string;
}

const PROTOCOL_WORDS = { vmbus: 'VMBus', nvsp: 'NVSP', rndis: 'RNDIS', vpci: 'vPCI' } as const;

export const SECTIONS: Readonly<Record<string, () => readonly Entry[]>> = {
  scenarios: () =>
    shippedScenarios().map(({ name, file }) => {
      const loaded = loadScenario(readText(file), file, VOCABULARY);
      return { name, meaning: loaded.ok ? loaded.value.name : 'does not load: see netvsim check' };
    }),
  guests: () =>
    FAMILIES.flatMap((family) =>
      Object.values(GUESTS[family].profiles).map(({ name, summary }) => ({ name, meaning: summary })),
    ),
  fixes: () =>
    FAMILIES.flatMap((family) =>
      Object.entries(GUESTS[family].fixes).map(([name, { source, meaning }]) => ({
        name,
        meaning: `${meaning} (${source})`,
      })),
    ),
  devices: () => [...CATALOGUE.vfs, ...CATALOGUE.synthetics].map(({ name, summary }) => ({ name, meaning: summary })),
  observers: () =>
    VOCABULARY.observers.map((name) => ({
      name,
      meaning: `a modelled program of user mode: ${titlesWith(VOCABULARY, 'observers', name)}`,
    })),
  modules: () =>
    VOCABULARY.modules.map((name) => ({
      name,
      meaning: `a module of the guest: ${titlesWith(VOCABULARY, 'modules', name)}`,
    })),
  invariants: () => INVARIANTS.map(({ name, meaning }) => ({ name, meaning })),
  verbs: () => VERBS.map(({ usage, meaning }) => ({ name: usage, meaning })),
  messages: () => {
    const { nic, vf } = FAULT_POINTS;
    const all = new Map([...nic, ...vf].map((point) => [`${point.from} ${point.message}`, point]));
    const has = (points: readonly FaultPoint[], { message, from }: FaultPoint): boolean =>
      points.some((point) => point.message === message && point.from === from);
    return [...all.values()].map((point) => {
      const dev = has(nic, point) && has(vf, point) ? 'nic1 or nic1.vf' : has(nic, point) ? 'nic1' : 'nic1.vf';
      return { name: point.message, meaning: `${PROTOCOL_WORDS[point.protocol]} from the ${point.from}, of ${dev}` };
    });
  },
  requests: () =>
    [...new Set([...requestsOf('nic'), ...requestsOf('vf')])].map((name) => {
      const protocol = protocolOf(name) ?? 'vmbus';
      const statuses = `fails with ${Object.keys(FAILURES[protocol]).join(', ')}`;
      const how = isAnsweredEmpty(name) ? 'its answer is empty, whatever became of it' : statuses;
      return { name, meaning: `${PROTOCOL_WORDS[protocol]}; ${how}` };
    }),
  calls: () =>
    Object.entries(FALLIBLE_CALLS).map(([name, { fails }]) => ({ name, meaning: `when it fails: ${fails}` })),
  latency: () =>
    Object.entries(LATENCY).map(([name, { span, meaning, source }]) => {
      return { name, meaning: `${formatDuration(span)}: ${meaning} (${source})` };
    }),
  needs: () => Object.entries(NEEDS).map(([name, meaning]) => ({ name, meaning })),
};

export function addList(program: Command): void {
  program
    .command('list')
    .description('list scenarios, guests, devices, invariants, verbs and all else that a scenario can name')
    .argument('[what]', `only ${Object.keys(SECTIONS).join(', ')}`)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  netvsim list\n  netvsim list verbs')
    .action((what: string | undefined, flags: { readonly json?: true }) => list(what, flags.json === true));
}

function list(what: string | undefined, json: boolean): void {
  const names = Object.keys(SECTIONS);
  if (what !== undefined && !names.includes(what)) throw new InputError(unknownName('list', what, names));
  const shown = names.filter((name) => what === undefined || name === what);
  const sections = Object.fromEntries(shown.map((name) => [name, SECTIONS[name]?.() ?? []]));
  if (json) {
    print(asJson('netvsim list', sections));
    return;
  }
  const blocks = Object.entries(sections).map(([name, entries]) => `${name}:\n${entries.map(formatEntry).join('')}`);
  print(blocks.join('\n'));
}

const INDENT = 32;

export function formatEntry({ name, meaning }: Entry): string {
  const text = wrap(meaning, INDENT);
  return name.length > INDENT - 4
    ? `  ${name}\n${' '.repeat(INDENT)}${text}\n`
    : `  ${name.padEnd(INDENT - 4)}  ${text}\n`;
}
