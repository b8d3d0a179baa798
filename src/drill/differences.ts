/**
 * What differs between drills of one kind on several guests, and why: figures side by side where they are not the same,
 * each with the reason that the guests' own sources give.
 */
import { formatDuration, type Nanoseconds } from '../base/time.ts';
import { familyOf, GUESTS, type GuestFamily } from '../machine/guests.ts';
import { capabilitiesComeBack } from '../scenario/invariants/capabilities.ts';
import type { PhaseFigures } from './figures.ts';
import type { DrillResult } from './firmware-update.ts';

/** One guest's drill. */
export interface GuestDrill {
  readonly guest: string;
  readonly result: DrillResult;
}

/** A figure that is not the same on all guests. */
export interface Difference {
  readonly what: string;
  /** In words, by guest, in the order of the drills. */
  readonly found: readonly string[];
  readonly why: string;
}

interface Row {
  readonly what: string;
  readonly of: (drill: DrillResult) => Nanoseconds | number | undefined;
  readonly say: (value: number) => string;
  /** What each family of guests does that the figure comes from. */
  readonly why: Readonly<Record<GuestFamily, string>>;
}

const inPhase =
  (name: string, figure: (figures: PhaseFigures) => number) =>
  ({ phases }: DrillResult): number | undefined => {
    const found = phases.find(({ phase }) => phase === name);
    return found === undefined ? undefined : figure(found);
  };

const lostIn = (name: string): Row['of'] => inPhase(name, ({ frames }) => frames.tx.lost + frames.rx.lost);

const LEAVING = {
  linux: 'netvsc moves the path away before the VF stops (34b06a2eee44)',
  freebsd:
    "hn moves it when the VF's interface departs, and the VF's driver has closed its queues by then (reference A.9, E.4, G-21)",
};
const SWITCHING = {
  linux: 'netvsc sends by the VF when the host has answered the switch (8b31f8c982b7)',
  freebsd: 'hn asks for no answer, and sends by the VF at once (reference E.1)',
};
const TAKING_OVER = {
  linux: 'netvsc lets a VF that has joined follow it after 100 ms (VF_TAKEOVER_INT)',
  freebsd: 'hn lets a VF that it has paired with be for 2 s (hw.hn.vf_xpnt_attwait)',
};

const NARROWING = {
  linux: 'netvsc asks its VF for the features that it has itself, and keeps its own (register_vf)',
  freebsd:
    'hn takes what a VF can out of what it can itself, and gives what it had before to the VF that leaves (reference G-35)',
};

const ROWS: readonly Row[] = [
  { what: 'frames lost as the VF goes', of: lostIn('revoke'), say: String, why: LEAVING },
  {
    what: 'no path out as the VF goes',
    of: inPhase('revoke', ({ without }) => without.tx),
    say: formatDuration,
    why: LEAVING,
  },
  {
    what: 'no path in as the VF goes',
    of: inPhase('revoke', ({ without }) => without.rx),
    say: formatDuration,
    why: LEAVING,
  },
  {
    what: 'until the VF carries again',
    of: inPhase('return', ({ lasts }) => lasts),
    say: formatDuration,
    why: TAKING_OVER,
  },
  { what: 'frames lost as the VF returns', of: lostIn('return'), say: String, why: SWITCHING },
  {
    what: 'no path out as the VF returns',
    of: inPhase('return', ({ without }) => without.tx),
    say: formatDuration,
    why: SWITCHING,
  },
  {
    what: 'checksums and segmentation stay with the hardware',
    of: ({ verdict }) => (verdict.failures.some(({ what }) => what === capabilitiesComeBack.name) ? 0 : 1),
    say: (holds) => (holds === 1 ? 'yes' : 'no'),
    why: NARROWING,
  },
];

/** The figures that are not the same on all guests, in the order of the drill. */
export function differencesOf(drills: readonly GuestDrill[]): readonly Difference[] {
  return ROWS.flatMap(({ what, of, say, why }) => {
    const values = drills.map(({ result }) => of(result));
    if (new Set(values).size < 2) return [];
    const found = values.map((value) => (value === undefined ? 'none' : say(value)));
    return [{ what, found, why: explain(drills, why) }];
  });
}

/** Guests of one family differ by their fixes, and those of several by what each of these does. */
function explain(drills: readonly GuestDrill[], why: Row['why']): string {
  const families = [...new Set(drills.map(({ guest }) => familyOf(guest)))];
  if (families.length > 1) return families.map((family) => why[family]).join('; ');
  const [family] = families;
  if (family === undefined) return '';
  const { fixes, profiles } = GUESTS[family];
  const has = (guest: string, fix: string): boolean => profiles[guest]?.fixes.has(fix) === true;
  const some = Object.keys(fixes).filter((fix) => new Set(drills.map(({ guest }) => has(guest, fix))).size > 1);
  return `fixes that not all of them have: ${some.join(', ')}`;
}
