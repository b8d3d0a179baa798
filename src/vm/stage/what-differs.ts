/**
 * What a scenario asks for and a real kernel in this machine does not have: left out, put in another's place, or a reason
 * not to run it at all. All of it is known before the run.
 */
import { PROFILES } from '../../guest/linux/profile.ts';
import type { HostAction } from '../../host/action.ts';
import { vfOf } from '../../host/plan.ts';
import type { Invariant } from '../../scenario/invariants/invariant.ts';
import { watchedBy } from '../../scenario/invariants/invariant.ts';
import { INVARIANTS } from '../../scenario/invariants/invariants.ts';
import type { Problem } from '../../scenario/problem.ts';
import { NEEDS, type Scenario } from '../../scenario/scenario.ts';
import type { Step } from '../../scenario/step.ts';
import type { EventKind } from '../../trace/event.ts';
import { TOLD_BY_GUEST } from './guest-events.ts';

/** Where in the scenario's file, as far as it is said there, and why. */
export type Refusal = Omit<Problem, 'file'>;

export interface WhatDiffers {
  /** What is different here, a line each. */
  readonly notes: readonly string[];
  /** Why it cannot run; empty when it can. */
  readonly refusals: readonly Refusal[];
  /** Invariants of the scenario that can be judged here. */
  readonly judged: readonly string[];
}

/** What host and stage tell of themselves on this stage. */
const TOLD_BY_HOST: readonly EventKind[] = [
  'vmbus.message',
  'nvsp.message',
  'rndis.message',
  'wire.malformed',
  'host.action',
  'host.refused',
  'host.vf',
  'host.datapath',
  'host.timeout',
  'servicing.phase',
  'fault',
  'vf.alive',
  'vf.link',
  'panic',
];
/** What there is nothing to tell of: interfaces and vnets of FreeBSD, and addresses that change, for no step here changes one. */
const NEVER: readonly EventKind[] = ['ifnet.state', 'ifnet.visible', 'netdev.mac', 'packet.input'];
const TOLD: ReadonlySet<EventKind> = new Set([...TOLD_BY_HOST, ...TOLD_BY_GUEST, ...NEVER]);

/** @param release of the kernel, as `uname -r` says it. */
export function whatDiffers(scenario: Scenario, release: string): WhatDiffers {
  const { judged, unseen } = judgedHere(scenario);
  const notes = [`the guest is the kernel ${release}, in the place of ${scenario.plan.guest}`, ...notesOf(scenario)];
  if (unseen.length > 0) notes.push(`cannot be observed, hence not judged: ${unseen.join(', ')}`);
  const refusals = [
    ...guestOf(scenario),
    ...fixesOf(scenario),
    ...scenario.steps.flatMap((step) => refusalsOf(step, scenario)),
  ];
  return { notes, refusals, judged };
}

function notesOf({ plan, needs, steps }: Scenario): readonly string[] {
  const families = [...new Set(plan.nics.flatMap(({ vf }) => vf ?? []))];
  const notes: string[] = [];
  if (families.length > 0) {
    notes.push(
      `VFs come by ACPI hot-plug, not by vPCI, as emulated NE2000 cards (ne2k-pci) for ${families.join(', ')}`,
    );
  }
  const rows = Object.keys(plan.latency);
  if (rows.length > 0) notes.push(`rows of the latency table count for the host only: ${rows.join(', ')}`);
  for (const observer of plan.user) {
    const isManager = observer === 'manager';
    notes.push(
      isManager ? 'manager is a shell script with busybox udhcpc, which leaves slaves alone' : `no ${observer}`,
    );
  }
  const streams = steps.flatMap(({ body }) =>
    body.kind === 'start-flow' && body.flow.kind === 'stream' ? body.flow.name : [],
  );
  if (streams.length > 0)
    notes.push(`nobody in the guest takes the frames of a stream: left out: ${streams.join(', ')}`);
  for (const need of needs) if (need !== 'observers') notes.push(`needs ${need} (${NEEDS[need]}), which is not here`);
  return notes;
}

function guestOf({ plan }: Scenario): readonly Refusal[] {
  const message = `guest: ${plan.guest} is no Linux, and the kernel here is`;
  return plan.guest in PROFILES ? [] : [{ line: undefined, message }];
}

/** A built kernel has the fixes that it has. */
function fixesOf({ plan }: Scenario): readonly Refusal[] {
  const wanted = Object.entries(plan.fixes);
  return wanted.map(([fix, on]) => ({
    line: undefined,
    message: `fixes: ${fix} cannot be switched ${on ? 'on' : 'off'} in a built kernel`,
  }));
}

function judgedHere({ always }: Scenario): { readonly judged: readonly string[]; readonly unseen: readonly string[] } {
  const canSee = (invariant: Invariant): boolean => [...watchedBy(invariant)].every((kind) => TOLD.has(kind));
  const seen = new Set(INVARIANTS.filter(canSee).map(({ name }) => name));
  return { judged: always.filter((name) => seen.has(name)), unseen: always.filter((name) => !seen.has(name)) };
}

function refusalsOf({ line, body, text }: Step, { plan, steps }: Scenario): readonly Refusal[] {
  const refuse = (why: string): readonly Refusal[] => [{ line, message: `"${text}": ${why}` }];
  if (body.kind === 'fail-call') return refuse("a call inside of a real guest's kernel cannot be made to fail");
  if (body.kind === 'host' && isOfVpci(body.action, plan.nics)) return refuse('there is no vPCI channel here');
  if (body.kind === 'guest' && body.command.do === 'address') return refuse('nobody is told of addresses here');
  if (body.kind !== 'expect') return [];
  const { question } = body;
  if (question.ask === 'cloud-init') return refuse('there is no cloud-init here');
  if (question.ask !== 'lost-at-most') return [];
  const isStream = steps.some(
    (step) =>
      step.body.kind === 'start-flow' && step.body.flow.name === question.flow && step.body.flow.kind === 'stream',
  );
  return isStream ? refuse('the frames of a stream are not counted here') : [];
}

function isOfVpci(action: HostAction, nics: Scenario['plan']['nics']): boolean {
  const isVf = (dev: string): boolean => nics.some(({ name }) => vfOf(name) === dev);
  if (action.do === 'answer-again') return isVf(action.dev);
  return action.do === 'arm-fault' && isVf(action.fault.dev);
}
