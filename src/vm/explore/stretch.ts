/**
 * Where in a scenario the host can strike: a stretch reaches from a step that keeps the guest busy to the next action of
 * the host, which then comes at any point of it and not when the scenario has it.
 */
import type { Scenario } from '../../scenario/scenario.ts';
import type { Step } from '../../scenario/step.ts';

export interface Stretch {
  /** Done once, before the snapshot. */
  readonly before: readonly Step[];
  /** Traffic that runs in the stretch: begun in each run anew, for what runs beside a machine cannot be kept. */
  readonly flows: readonly Step[];
  /** The step into whose consequences the action strikes. */
  readonly into: Step;
  /** Expectations between the two, which a strike comes before: left out. */
  readonly between: readonly Step[];
  /** The host's action. */
  readonly action: Step;
  readonly after: readonly Step[];
}

/**
 * Those behind the line from which on the scenario wants all orders; where none lies wholly behind it, those whose action
 * does. Of a scenario without that line, all.
 */
export function stretchesOf({ steps }: Scenario): readonly Stretch[] {
  const mark = steps.findIndex(({ body }) => body.kind === 'orders' && body.all);
  const ends = steps.flatMap((step, at) => {
    const into = isAction(step) && at > mark ? steps.findLastIndex((other, i) => i < at && isBusying(other)) : -1;
    return into === -1 ? [] : [{ into, at }];
  });
  const whole = ends.filter(({ into }) => into > mark);
  return (whole.length > 0 ? whole : ends).map(({ into, at }) => {
    const isFlow = ({ body }: Step): boolean => body.kind === 'start-flow' || body.kind === 'stop-flow';
    return {
      before: steps.slice(0, into).filter((step) => !isFlow(step)),
      flows: steps.slice(0, at).filter(isFlow),
      into: steps[into] as Step,
      between: steps.slice(into + 1, at).filter((step) => step.body.kind === 'expect'),
      action: steps[at] as Step,
      after: behindStrike(steps.slice(at + 1)),
    };
  });
}

/** Without the lines that ask for the errno of a command from before the strike: what came of that is no finding. */
function behindStrike(steps: readonly Step[]): readonly Step[] {
  const next = steps.findIndex(({ body }) => body.kind === 'guest');
  return steps.filter(({ body }, at) => body.kind !== 'expect-errno' || (next !== -1 && at > next));
}

/** Faults are set up, they do not strike. */
const isAction = ({ body }: Step): boolean => body.kind === 'host' && body.action.do !== 'arm-fault';

const isBusying = (step: Step): boolean => step.body.kind === 'guest' || isAction(step);

/** The stretch as the scenario has it. */
export const usualSteps = ({ flows, into, between, action, after }: Stretch): readonly Step[] => [
  ...flows,
  into,
  ...between,
  action,
  ...after,
];

/** The stretch with an action that comes when it strikes: its step has no time of its own. */
export const struckSteps = ({ flows, into, action, after }: Stretch): readonly Step[] => [
  ...flows,
  into,
  { ...action, when: { at: 'after', span: 0 } },
  ...after,
];
