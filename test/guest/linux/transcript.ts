/**
 * Transcripts of the registry of network devices: what a kernel says and shows while `ip` commands run, one file a script.
 * The commands are part of the file, so that a transcript can be recorded again, by whatever runs them.
 *
 *     # What it is about, in words.
 *     modules: hv_netvsc ne2k-pci              what is loaded before, beside dummy and bonding
 *     kernel: 6.1.0-50-686 Debian 6.1.176-1    what recorded it
 *
 *     $ host offer nic1                        a verb of scenarios, or a command
 *     $ ip link add d0 type dummy              the command
 *     ! 2 RTNETLINK answers: File exists       its exit code and what it said, when it failed
 *     > uevent add /devices/virtual/net/d0 INTERFACE=d0 IFINDEX=2
 *     > RTM_NEWLINK 2: d0: <BROADCAST,NOARP> mtu 1500 state DOWN 02:00:00:00:00:01
 *                                              what was told meanwhile and shortly after, in the order of the kernel's
 *                                              broadcasts; `[red]` in front of what was told in that namespace only
 *     = 2: d0: <BROADCAST,NOARP> mtu 1500 state DOWN 02:00:00:00:00:01
 *                                              `ip -o link` afterwards, without loopback, namespace by namespace; not said
 *                                              again where it is the same as after the command before; `= none` of no link
 *
 * Links are as `ip` prints them, without queueing discipline, mode, group, queue length and broadcast address. Of a master a
 * message says only that there is one: `ip monitor` calls it by a name that it may have no more. An address that stands in
 * no command is `random1`, `random2`, by its first appearance.
 */

import { mac } from '../../../src/base/mac.ts';
import { VOCABULARY } from '../../../src/cli/model.ts';
import type { HostAction } from '../../../src/host/action.ts';
import { readBody } from '../../../src/scenario/step.ts';
import type { Names } from '../../../src/scenario/vocabulary.ts';

export interface Transcript {
  /** Lines of `#`, without it. */
  readonly about: readonly string[];
  readonly header: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly command: string;
  /** Exit code and words; undefined when the command did what it was told. */
  readonly failed: string | undefined;
  readonly told: readonly string[];
  readonly links: readonly string[];
}

/** @throws Error when a line is none of a transcript, with its number. */
export function parseTranscript(text: string): Transcript {
  const about: string[] = [];
  const header: Record<string, string> = {};
  const steps: Step[] = [];
  for (const [at, block] of blocksOf(text)) {
    const [first = '', ...rest] = block;
    if (first.startsWith('$ ')) steps.push(parseStep(first.slice(2), rest, at, steps.at(-1)?.links ?? []));
    else if (steps.length === 0) parseHead(block, at, about, header);
    else throw new Error(`line ${at}: what is told has no command before it`);
  }
  return { about, header, steps };
}

/** The file's parts, each with the number of its first line: a command begins one, and what is no command's is another. */
function blocksOf(text: string): readonly (readonly [number, readonly string[]])[] {
  const blocks: [number, string[]][] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const last = blocks.at(-1);
    if (last === undefined || line.startsWith('$ ')) blocks.push([at + 1, [line]]);
    else last[1].push(line);
  }
  return blocks;
}

function parseHead(lines: readonly string[], from: number, about: string[], header: Record<string, string>): void {
  for (const [at, line] of lines.entries()) {
    const [, key = '', value = ''] = /^([a-z ]+): (.*)$/.exec(line) ?? [];
    if (line.startsWith('# ')) about.push(line.slice(2));
    else if (key !== '') header[key] = value;
    else throw new Error(`line ${from + at} is none of a transcript's head: ${line}`);
  }
}

function parseStep(command: string, lines: readonly string[], from: number, before: readonly string[]): Step {
  const of = (mark: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${mark} `)).map((line) => line.slice(2));
  const odd = lines.findIndex((line) => !/^[!>=] /.test(line));
  if (odd !== -1) throw new Error(`line ${from + odd + 1} is none of a command's: ${lines[odd]}`);
  const links = of('=');
  return {
    command,
    failed: of('!')[0],
    told: of('>'),
    links: links.length === 0 ? before : links.filter((line) => line !== NONE),
  };
}

export function formatTranscript({ about, header, steps }: Transcript): string {
  const lines = [
    ...about.map((line) => `# ${line}`),
    ...Object.entries(header).map(([key, value]) => `${key}: ${value}`),
  ];
  for (const step of withChanges(steps)) lines.push('', ...step);
  return `${lines.join('\n')}\n`;
}

/** Each step as lines; the links where they have changed. */
export const withChanges = (steps: readonly Step[]): readonly (readonly string[])[] =>
  steps.map((step, at) => formatStep(step, steps[at - 1]?.links ?? []));

/** @param before the links after the step before. */
function formatStep({ command, failed, told, links }: Step, before: readonly string[]): readonly string[] {
  const same = links.join('\n') === before.join('\n');
  const shown = links.length === 0 ? [NONE] : links;
  return [
    `$ ${command}`,
    ...(failed === undefined ? [] : [`! ${failed}`]),
    ...told.map((line) => `> ${line}`),
    ...(same ? [] : shown.map((line) => `= ${line}`)),
  ];
}

const NONE = 'none';

/** What is loaded before the first command, beside the drivers of virtual devices. */
export const modulesOf = ({ header }: Transcript): readonly string[] =>
  (header['modules'] ?? '').split(' ').filter((name) => name !== '');

/** The one NIC that the host of a transcript can offer. */
export const NIC = { name: 'nic1', mac: mac('00:0d:3a:12:34:56'), vf: 'mlx5', synthetic: 'ws2022' } as const;

const NAMES: Names = { ...VOCABULARY, nics: [NIC.name], nicsWithVf: [NIC.name], flows: [] };

/** What a line makes the host do; undefined for a command in the guest. */
export function hostActionOf(line: string): HostAction | undefined {
  if (!line.startsWith('host ')) return undefined;
  const body = readBody(line, NAMES);
  if ('problem' in body) throw new Error(body.problem);
  if (body.kind !== 'host') throw new Error(`${line} is nothing that the host does`);
  return body.action;
}

/** Every MAC address that the commands do not name, under the name of a random one. */
export class RandomAddresses {
  private readonly names = new Map<string, string>();
  private readonly given: ReadonlySet<string>;

  constructor(commands: readonly string[]) {
    this.given = new Set([NIC.mac, ...commands.flatMap((command) => command.match(MAC) ?? [])]);
  }

  rename(line: string): string {
    return line.replace(MAC, (mac) => (this.given.has(mac) ? mac : this.nameOf(mac)));
  }

  private nameOf(mac: string): string {
    const name = this.names.get(mac) ?? `random${this.names.size + 1}`;
    this.names.set(mac, name);
    return name;
  }
}

/** A uevent's path, but where a PCI function has its slot: the real VF has one of ACPI, the modelled one is of vPCI. */
export const withoutSlot = (line: string): string => line.replace(/\/devices\/\S*pci\S*\/net\//g, '/devices/pci/net/');

const MAC = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g;
