import { seconds } from '../../src/base/time.ts';
import { VOCABULARY } from '../../src/cli/model.ts';
import { FALLIBLE_CALLS } from '../../src/guest/linux/faults.ts';
import { type DeviceKind, FAULT_POINTS, requestsOf } from '../../src/host/fault-points.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Step, stepsFrom } from '../../src/scenario/step.ts';
import { shipped } from './shipped.ts';

const DEVICES: readonly (readonly [DeviceKind, string])[] = [
  ['nic', 'nic1'],
  ['vf', 'nic1.vf'],
];

const HOW = ['drop', 'delay', 'duplicate', 'reorder'] as const;

/** Every fault that there is, as the words of a step without `may`: each message in each way, each request, each call. */
export const FAULT_LINES: readonly string[] = DEVICES.flatMap(([kind, dev]) => [
  ...FAULT_POINTS[kind].flatMap(({ message, from }) =>
    HOW.map((how) => `host ${how} ${message} from ${from} of ${dev}${how === 'delay' ? ' by 5ms' : ''}`),
  ),
  ...requestsOf(kind).map((request) => `host fail ${request} of ${dev}`),
  `host fall silent to ${dev}`,
  ...Object.entries(FALLIBLE_CALLS)
    .filter(([, { of }]) => of === 'both' || of === kind)
    .map(([call]) => `guest fail ${call} of ${dev} with EBUSY`),
]);

export const mayBe = (line: string): string => line.replace(/^(host|guest) /, '$1 may ');

/** What becomes of the NIC once the scenario's own steps are over. */
const AFTERWARDS = ['+60s guest mtu nic1 1400', '+5s host rescind nic1', '+5s host offer nic1'];
/** How long is waited in the place of an expectation. */
const PAUSE = seconds(5);

/** A shipped scenario that begins with these lines; without its expectations, so that what fails does not end it. */
export function shippedWith(name: string, lines: readonly string[], transport: 'bytes' | 'direct'): Scenario {
  const { steps, ...scenario } = shipped(name, { transport });
  const names = { ...VOCABULARY, nics: ['nic1'], nicsWithVf: ['nic1'], flows: [], observers: scenario.plan.user };
  const read = (some: readonly string[]): readonly Step[] => {
    const found = stepsFrom(some, names);
    if ('message' in found) throw new Error(found.message);
    return found;
  };
  let pause = 0;
  const told = steps.flatMap((step) => {
    if (step.body.kind === 'expect') {
      pause += step.when.at === 'within' ? PAUSE : 0;
      return [];
    }
    const when = step.when.at === 'after' ? { ...step.when, span: step.when.span + pause } : step.when;
    pause = 0;
    return [{ ...step, when }];
  });
  return { ...scenario, steps: [...read(lines.map((line) => `+0ms ${line}`)), ...told, ...read(AFTERWARDS)] };
}
