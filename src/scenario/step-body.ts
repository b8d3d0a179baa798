import type { CallFault } from '../guest/linux/faults.ts';
import type { Errno } from '../guest/uapi/errno.ts';
import type { HostAction } from '../host/action.ts';
import type { FlowPlan, GuestVerb, Question } from './stage.ts';

/** What a step does: plain data, which any stage can carry out. */
export type StepBody =
  | { readonly kind: 'host'; readonly action: HostAction }
  /**
   * `meanwhile`: by a program of its own, and the scenario does not wait for it. `mayFail`: to be refused is no failure of
   * the scenario.
   */
  | { readonly kind: 'guest'; readonly command: GuestVerb; readonly meanwhile?: true; readonly mayFail?: true }
  /** Makes a call inside of the guest's kernel fail from now on. */
  | { readonly kind: 'fail-call'; readonly fault: CallFault }
  | { readonly kind: 'start-flow'; readonly flow: FlowPlan }
  | { readonly kind: 'stop-flow'; readonly flow: string }
  | { readonly kind: 'expect'; readonly question: Question }
  /** What the last `guest try` came to: refused with this, or with nothing. */
  | { readonly kind: 'expect-errno'; readonly errno: Errno | undefined }
  /** Which orders are searched from here on: all, or only the usual one. */
  | { readonly kind: 'orders'; readonly all: boolean };
