/** A scenario as the program has it: what to build, what to do, and what must hold. */
import type { Plan } from '../machine/plan.ts';
import type { Step } from './step.ts';

export interface Scenario {
  readonly name: string;
  /** The paragraph that says what the scenario shows. */
  readonly about: string;
  readonly plan: Plan;
  /** What a stage must have to show it; see {@link NEEDS}. */
  readonly needs: readonly string[];
  readonly steps: readonly Step[];
  /** Invariants that are watched, by name. */
  readonly always: readonly string[];
  /** Invariants that it names and that do not bind its guest, each with the reason. */
  readonly exempt?: readonly { readonly invariant: string; readonly why: string }[];
  /** Of a known race: what brings it back, and what it breaks. */
  readonly race?: Race;
}

/** What makes a scenario a known race; see `race.ts`. */
export interface Race {
  /** Its number in the catalogue of the reference: `D-01`. */
  readonly id: string;
  /** The fixes, by name, that are switched off to bring it back. */
  readonly without: readonly string[];
  /** Fixes that were proposed against it: each alone is tried while {@link without} are off. */
  readonly remedies?: readonly string[];
  /** What fails then: an invariant, or `expectation`, `deadlock` or `stuck`. */
  readonly breaks: string;
}

/** The guest of a scenario that names none. */
export const USUAL_GUEST = 'linux-6.12';
/** The synthetic NIC of a scenario that names none. */
export const USUAL_SYNTHETIC = 'ws2022';

/** What a scenario can say that it `needs:`; a stage without it says what it leaves out. */
export const NEEDS: Readonly<Record<string, string>> = {
  vpci: 'VFs that come and go on their own PCI channel',
  'sub-channels': 'more than one channel a synthetic NIC',
  observers: 'modelled programs of user mode',
  'call-faults': "calls inside of the guest's kernel that can be made to fail",
  'virtual-time': 'time that passes as fast as the machine can compute',
};
