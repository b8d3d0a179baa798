/** Two runs of a scenario, on the modelled guest and on a real kernel, reduced to what can be seen and held together. */
import type { ChannelComparison } from '../../report/compare.ts';
import type { Event } from '../../trace/event.ts';
import { align } from './align.ts';
import type { KnownDifferences } from './known-differences.ts';
import { CHANNELS, headOf, type Observation, observe } from './observe.ts';

export interface BothRuns {
  readonly nics: readonly string[];
  /** The scenario's observers. */
  readonly user: readonly string[];
  readonly model: readonly Event[];
  readonly real: readonly Event[];
}

/** Every channel in which either of the two has shown anything, NIC by NIC. */
export function sideBySide(runs: BothRuns, known: KnownDifferences): readonly ChannelComparison[] {
  const [model, real] = [observe(runs.model, runs.nics), observe(runs.real, runs.nics)];
  return ['', ...runs.nics].flatMap((nic) =>
    CHANNELS.flatMap((channel) => {
      const of = (all: readonly Observation[]): readonly string[] =>
        all.filter((one) => one.nic === nic && one.channel === channel).map(({ text }) => text);
      const here = known.at({ nic, channel, user: runs.user, nics: runs.nics.length });
      const stands = (one: string, other: string): boolean => here.stands(one, other);
      const aligned = align(of(model), of(real), { stands, head: headOf });
      if (aligned.length === 0) return [];
      const rows = aligned.map((row) => (row.kind === 'same' ? row : here.explain(row)));
      return [{ nic, channel, rows }];
    }),
  );
}
