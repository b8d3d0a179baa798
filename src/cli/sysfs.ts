/** `netvsim sysfs`: the guest's /sys at one moment of a run, as files and links that real programs can read. */
import { type Command, Option } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import type { SysfsNode } from '../guest/uapi/linux.ts';
import { familyOf, linuxOf } from '../machine/guests.ts';
import { EVENT_KINDS } from '../report/words.ts';
import type { ModelStage } from '../scenario/model-stage.ts';
import { unknownName } from '../scenario/problem.ts';
import { runScenario } from '../scenario/run.ts';
import type { Event } from '../trace/event.ts';
import { EXIT, InputError } from './input-error.ts';
import { makeStage } from './model.ts';
import { transport } from './options.ts';
import { scenarioFile } from './package-files.ts';
import { runOf } from './reproduction.ts';
import { loadFile } from './run.ts';
import { complain, print } from './terminal.ts';
import { checkFreeDirectory, writeTree } from './write-file.ts';

interface SysfsFlags {
  readonly at: string;
  readonly out: string;
  readonly guest?: string;
  readonly transport?: 'direct' | 'bytes';
}

export function addSysfs(program: Command, end: (exit: number) => void): void {
  program
    .command('sysfs')
    .description("write the guest's /sys at one moment of a run")
    .argument('<scenario>', 'a scenario file, or the name of a shipped one')
    .addOption(
      new Option(
        '--at <event>',
        'right after this event: kind, one of its words, device, and which one of several (uevent.add:nic1.vf#2)',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--out <dir>', 'a directory that is not there, or empty').makeOptionMandatory())
    .option('--guest <profile>', 'another guest than the file says')
    .addOption(transport())
    .addHelpText(
      'after',
      `
Examples:
  netvsim sysfs vf-plug-join --at uevent.add:nic1.vf --out sys
  netvsim sysfs firmware-update --at netdev.state.registered:nic1.vf#2 --out sys`,
    )
    .action((scenario: string, flags: SysfsFlags) => end(sysfs(scenario, flags)));
}

function sysfs(given: string, flags: SysfsFlags): number {
  const moment = parseMoment(flags.at);
  checkFreeDirectory(flags.out);
  const scenario = loadFile(scenarioFile(given), flags);
  const { guest } = scenario.plan;
  if (familyOf(guest) !== 'linux') throw new InputError(`${given}: ${guest} has no /sys: only Linux has`);
  let seen = 0;
  let tree: readonly SysfsNode[] | undefined;
  let stage: ModelStage | undefined;
  const look = (event: Event): void => {
    if (tree !== undefined || !isAt(event, moment)) return;
    seen++;
    if (seen === moment.nth && stage !== undefined) tree = linuxOf(stage.machine).sysfsTree();
  };
  runScenario(
    scenario,
    (plan, options) => {
      stage = makeStage(plan, options) as ModelStage;
      return stage;
    },
    { listeners: [look], enough: () => tree !== undefined },
  );
  if (tree === undefined) {
    const times = seen === 0 ? 'does not happen' : `happens only ${seen === 1 ? 'once' : `${seen} times`}`;
    const run = runOf(given, { ...flags, without: [], time: 'idle' });
    complain(`${flags.at} ${times} in this run; ${run} --verbose shows what does`);
    return EXIT.failed;
  }
  writeTree(flags.out, tree);
  print(`${flags.out}: /sys right after ${flags.at} (${tree.length} entries)\n`);
  return EXIT.held;
}

interface Moment {
  readonly kind: string;
  /** Must be the value of one of the event's fields, where it is given. */
  readonly word: string | undefined;
  readonly dev: string | undefined;
  readonly nth: number;
}

/** `uevent.add:nic1.vf#2`: kind, word, device, which one. */
export function parseMoment(text: string): Moment {
  const parts = /^([^:#]+)(?::([^:#]+))?(?:#([1-9]\d{0,8}))?$/.exec(text);
  if (parts === null) throw new InputError(`--at: "${text}" is no moment such as uevent.add:nic1.vf or netdev.state#2`);
  const [, what = '', dev, nth = '1'] = parts;
  const kinds = EVENT_KINDS.filter((kind) => what === kind || what.startsWith(`${kind}.`));
  // The longest one: `netdev.state` before a kind that might be called `netdev`.
  const kind = kinds.sort((a, b) => b.length - a.length)[0];
  if (kind === undefined) throw new InputError(`--at: ${unknownName('event', likelyKind(what), EVENT_KINDS)}`);
  const word = what === kind ? undefined : what.slice(kind.length + 1);
  return { kind, word, dev, nth: Number(nth) };
}

/** The part of what was written that was meant as the kind: the rest is a word of the event. */
function likelyKind(what: string): string {
  const parts = what.split('.');
  const prefixes = parts.map((_, i) => parts.slice(0, i + 1).join('.'));
  const far = (prefix: string): number => distance(prefix, closest(prefix, [...EVENT_KINDS]));
  return prefixes.reduce((best, prefix) => (far(prefix) < far(best) ? prefix : best));
}

function isAt(event: Event, { kind, word, dev }: Moment): boolean {
  if (event.kind !== kind) return false;
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  if (dev !== undefined && fields['dev'] !== dev && fields['nic'] !== dev) return false;
  return word === undefined || Object.values(fields).includes(word);
}
