/**
 * Records a transcript of the registry (its form: test/guest/linux/transcript.ts) in a running kernel, through a shell.
 *
 * What is told is heard by `ip -o monitor link all-nsid` and, in each namespace, by busybox's `uevent`; in which order
 * across the sockets it was told is taken from kprobes on the kernel's two functions that broadcast. Both records must
 * agree to the last message, so that nothing is lost or added unseen.
 * Left out: uevents of queues and of what is no network interface; what happens in a namespace that is being deleted,
 * for whoever listens there would keep it alive.
 */
import type { HostAction } from '../../src/host/action.ts';
import {
  hostActionOf,
  modulesOf,
  RandomAddresses,
  type Step,
  type Transcript,
  withoutSlot,
} from '../guest/linux/transcript.ts';

/** A command line into the guest, which runs no further between two commands. */
export interface GuestShell {
  /** What the command prints, on either of its outputs, and its exit code. */
  run(command: string): { readonly output: string; readonly exit: number };
  /** What the host refused, if it did. */
  act(action: HostAction): string | undefined;
}

const TRACING = '/sys/kernel/tracing';
const LINKS = '/tmp/links';
const UEVENTS = '/tmp/uevents';

/**
 * `skc_net` of struct sock_common with 32-bit pointers (include/net/sock.h). Arguments are those of regparm(3): eax, edx,
 * ecx, then the stack (arch/x86/entry/calling.h).
 */
const PROBES = [
  'p:notify nlmsg_notify sk=%ax:x32 net=+36(%ax):x32 group=+4(%sp):u32',
  'p:broadcast netlink_broadcast sk=%ax:x32 net=+36(%ax):x32 group=+4(%sp):u32',
];
/** RTNLGRP_LINK (uapi/linux/rtnetlink.h) and the one group of uevents (lib/kobject_uevent.c). */
const GROUP = 1;

/** Prints a uevent on one line, and nothing of those that are not about network interfaces but that they were. */
const ON_UEVENT = [
  '#!/bin/sh',
  'case $SUBSYSTEM in net) ;; *) echo other; exit;; esac',
  'line="uevent $ACTION $DEVPATH INTERFACE=$INTERFACE IFINDEX=$IFINDEX"',
  '[ -n "$DEVPATH_OLD" ] && line="$line DEVPATH_OLD=$DEVPATH_OLD"',
  'echo "$line"',
];

/** Carrier changes are told up to a second late (net/core/link_watch.c). */
const SETTLE = 1.3;
const TRIES = 20;
const BETWEEN = '-----';

/** Runs a transcript's commands anew. The kernel is one that has just come up. */
export function record(shell: GuestShell, script: Transcript): readonly Step[] {
  const recorder = new Recorder(shell);
  recorder.begin(modulesOf(script));
  const random = new RandomAddresses(script.steps.map(({ command }) => command));
  const renamed = (lines: readonly string[]): readonly string[] => lines.map((line) => random.rename(line));
  const steps: Step[] = [];
  for (const { command } of script.steps) {
    const step = recorder.step(command);
    steps.push({ ...step, told: renamed(step.told.map(withoutSlot)), links: renamed(step.links) });
  }
  return steps;
}

class Recorder {
  private readonly shell: GuestShell;
  /** Name by the kernel's address, of those that are listened to; '' is the namespace of the shell. */
  private readonly namespaces = new Map<string, string>();
  /** Sockets that rtnetlink sends by: all others of that group send uevents. */
  private readonly linkSockets = new Set<string>();

  constructor(shell: GuestShell) {
    this.shell = shell;
  }

  begin(modules: readonly string[]): void {
    this.must('modprobe dummy numdummies=0 && modprobe bonding max_bonds=0');
    for (const module of modules) this.must(`modprobe ${module}`);
    this.must(`printf '%s\\n' ${ON_UEVENT.map((line) => `'${line}'`).join(' ')} > /tmp/on-uevent`);
    this.must(`chmod +x /tmp/on-uevent && : > ${LINKS}`);
    this.must(`(ip -o monitor link all-nsid >> ${LINKS} 2>&1 &)`);
    this.must(`printf '%s\\n' ${PROBES.map((probe) => `'${probe}'`).join(' ')} > ${TRACING}/kprobe_events`);
    this.must(`sleep 1; echo 1 > ${TRACING}/events/kprobes/enable`);
    this.must('ip link set lo up && ip link set lo down; sleep 2');
    for (const { net } of this.broadcasts(this.read(`${TRACING}/trace`).flat())) this.namespaces.set(net, '');
    if (this.namespaces.size !== 1) throw new Error(`${this.namespaces.size} namespaces before there is one`);
    this.listen('');
    this.clear();
  }

  step(command: string): Step {
    const deleted = /^ip netns del (\S+)$/.exec(command)?.[1];
    const added = /^ip netns add (\S+)$/.exec(command)?.[1];
    if (deleted !== undefined) this.leave(deleted);
    const action = hostActionOf(command);
    const failed = action === undefined ? this.run(command) : this.shell.act(action);
    const told = this.settled();
    if (added !== undefined && failed === undefined) this.join(added);
    this.clear();
    return { command, failed, told, links: this.links() };
  }

  /** Exit code and words, when it failed. */
  private run(command: string): string | undefined {
    const { output, exit } = this.shell.run(command);
    return exit === 0 ? undefined : `${exit} ${output.trim().replaceAll('\n', ' | ')}`;
  }

  /** All that has been told since the last step, once nothing is missing. */
  private settled(): readonly string[] {
    let problem = '';
    for (let tries = 0; tries < TRIES; tries++) {
      this.must(`sleep ${SETTLE}`);
      const told = this.told();
      if (typeof told !== 'string') return told;
      problem = told;
    }
    throw new Error(problem);
  }

  /** What has been told so far, or what the two records do not agree in. */
  private told(): readonly string[] | string {
    const names = [...this.namespaces.values()];
    const [trace = [], links = [], ...uevents] = this.read(
      `${TRACING}/trace`,
      LINKS,
      ...names.map((name) => UEVENTS + name),
    );
    const heard = new Map(names.map((name, at) => [name, uevents[at] ?? []]));
    const told: string[] = [];
    for (const { kind, net } of this.broadcasts(trace)) {
      const name = this.namespaces.get(net);
      if (name === undefined) continue;
      const line = kind === 'link' ? linkLine(links.shift()) : heard.get(name)?.shift();
      if (line === undefined) return `a ${kind} message in ${name || 'the first namespace'} has not been heard`;
      if (line !== 'other') told.push(`${inside(name)}${line}`);
    }
    const left = [...links, ...[...heard.values()].flat()];
    return left.length === 0 ? told : `heard, but not told: ${left.join(' | ')}`;
  }

  /** What the kernel has broadcast to listeners of links and of uevents, from the lines of the trace. */
  private broadcasts(trace: readonly string[]): readonly { readonly kind: 'link' | 'uevent'; readonly net: string }[] {
    const found: { kind: 'link' | 'uevent'; net: string }[] = [];
    for (const line of trace) {
      const [, what, sk = '', net = '', group] =
        /: (notify|broadcast): .* sk=(0x[0-9a-f]+) net=(0x[0-9a-f]+) group=(\d+)/.exec(line) ?? [];
      if (what === 'notify') this.linkSockets.add(sk);
      if (Number(group) !== GROUP) continue;
      if (what === 'notify') found.push({ kind: 'link', net });
      else if (!this.linkSockets.has(sk)) found.push({ kind: 'uevent', net });
    }
    return found;
  }

  private listen(name: string): void {
    const within = name === '' ? '' : `ip netns exec ${name} `;
    this.must(`: > ${UEVENTS}${name}; (${within}uevent /tmp/on-uevent >> ${UEVENTS}${name} 2>&1 &); sleep 1`);
  }

  /** A namespace that has just been made: the one whose loopback was told of. */
  private join(name: string): void {
    const broadcasts = this.broadcasts(this.read(`${TRACING}/trace`).flat());
    const net = broadcasts.find((broadcast) => !this.namespaces.has(broadcast.net))?.net;
    if (net === undefined) throw new Error(`nothing was told of a namespace ${name}`);
    this.must(`ip netns set ${name} ${this.namespaces.size}`);
    this.listen(name);
    this.namespaces.set(net, name);
  }

  private leave(name: string): void {
    for (const [net, each] of this.namespaces) if (each === name) this.namespaces.delete(net);
    this.must(`kill $(ip netns pids ${name}); sleep 1`);
  }

  private clear(): void {
    const files = [LINKS, ...[...this.namespaces.values()].map((name) => UEVENTS + name)];
    this.must(`${files.map((file) => `: > ${file}`).join('; ')}; echo > ${TRACING}/trace`);
  }

  private links(): readonly string[] {
    const names = [...this.namespaces.values()];
    const found = this.outputs(names.map((name) => `ip ${name === '' ? '' : `-n ${name} `}-o link`));
    return found.flatMap((lines, at) =>
      lines.filter((line) => !line.startsWith('1: lo:')).map((line) => `${inside(names[at] ?? '')}${shortened(line)}`),
    );
  }

  /** The lines of each of these files. */
  private read(...files: readonly string[]): string[][] {
    return this.outputs(files.map((file) => `cat ${file}`));
  }

  /** The lines that each of these commands prints: one command to the guest, for each costs time. */
  private outputs(commands: readonly string[]): string[][] {
    const output = this.must(commands.join(` && echo ${BETWEEN} && `));
    return output.split(`${BETWEEN}\n`).map((part) => part.split('\n').filter((line) => line !== ''));
  }

  private must(command: string): string {
    const { output, exit } = this.shell.run(command);
    if (exit !== 0) throw new Error(`${command}: exit ${exit}: ${output}`);
    return output;
  }
}

const inside = (netns: string): string => (netns === '' ? '' : `[${netns}] `);

/** `[nsid current]Deleted 2: d1: ...` as a message. */
function linkLine(line: string | undefined): string | undefined {
  const found = line === undefined ? null : /^\[nsid [^\]]+\](Deleted )?(.*)$/.exec(line);
  if (found === null) return undefined;
  const link = shortened(found[2] as string).replace(/ master \S+/, ' master');
  return `${found[1] === undefined ? 'RTM_NEWLINK' : 'RTM_DELLINK'} ${link}`;
}

/** A line of `ip -o link` or of its monitor without what is not compared. */
function shortened(line: string): string {
  return line
    .replace(/ qdisc \S+/, '')
    .replace(/ mode \S+/, '')
    .replace(/ group \S+/, '')
    .replace(/ qlen \d+/, '')
    .replace(/ \\ +link\/\S+ /, ' ')
    .replace(/\\ +link\/\S+ /, ' ')
    .replace(/ brd \S+/, '')
    .replace(/ new-netns(id)? \S+/, '')
    .replace(/ +/g, ' ')
    .trim();
}
