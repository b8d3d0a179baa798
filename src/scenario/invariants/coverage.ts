/** How far the reference's list of invariants (F.2) is watched: which number by which name, and why some are not. */
import { INVARIANTS } from './invariants.ts';

/** All numbers of the list, in its order. */
export const NUMBERS: readonly string[] = (
  [
    ['R', 6],
    ['V', 7],
    ['P', 8],
    ['L', 5],
    ['W', 3],
    ['X', 7],
    ['S', 2],
    ['N', 3],
    ['F', 4],
    ['Q', 1],
    ['C', 2],
    ['U', 3],
    ['E', 2],
  ] as const
).flatMap(([letter, count]) => Array.from({ length: count }, (_, i) => `INV-${letter}${i + 1}`));

/** Judged, but not by an invariant that can be named. */
export const JUDGED_ELSEWHERE: Readonly<Record<string, string>> = {
  'INV-L1': 'a run that ends in a ring of tasks that wait for each other fails as "deadlock", whatever is watched',
  'INV-L4': 'a rescind that waits for itself never ends: the run fails as "deadlock" or "stuck"',
  'INV-L5': 'tasks that do the same over and over while time stands still make the run fail as "livelock"',
  'INV-E1': 'the budget is the user\'s: "netvsim drill firmware-update --max-gap" judges it',
};

/** What cannot be judged because the model has nothing that could break it. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'INV-R4': 'name and index are given back in the step of the veto: nothing of the model can come between',
  'INV-L3': 'which tasks may not sleep is not modelled: softirqs are tasks like any other here',
  'INV-X1': 'state_lock is a lock of the model, which lets one in; no event tells what is done without it',
  'INV-X2': "the model's work queue takes nothing once its end has begun, and says so itself",
  'INV-X3': 'references to PCI functions are not counted in the model',
  'INV-X4': 'memory that is used after it was freed is not modelled in Linux',
  'INV-S2': "each VF's bus has a number of its own in its GUID, and is offered again only when the old one is released",
  'INV-F1': 'address lists are not modelled, and nothing sets PROMISC or ALLMULTI',
  'INV-F2': 'offloads and RSS are not modelled',
  'INV-F3': 'packets are not shared in the model',
  'INV-C1': 'sub-channels are not modelled',
  'INV-C2': 'there is one queue, hence no indirection table',
  'INV-U3': 'the rule misses a flags word only with ALLMULTI, which nothing sets: a test of the rule itself shows it',
  'INV-E2': 'resets of a VF by its own firmware are not modelled',
};

/** The invariants that watch a number. */
export const coveredBy = (number: string): readonly string[] =>
  INVARIANTS.filter(({ covers }) => covers.includes(number)).map(({ name }) => name);
