import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.ts';
import { FollowSchedule } from '../../src/explore/follow.ts';
import { RecordOrder } from '../../src/explore/record-order.ts';
import { Uniform } from '../../src/explore/strategies/uniform.ts';
import { RunOn, type Strategy } from '../../src/sim/strategy.ts';
import type { EventOf } from '../../src/trace/event.ts';
import { FAULT_LINES, mayBe, shippedWith } from '../support/fault-lines.ts';
import { runShipped, shipped, type Told, traceLine } from '../support/shipped.ts';

const STORIES = ['vf-plug-join', 'return-as-another-family'] as const;
/** Sets of faults that are drawn for each story. */
const SEEDS = 40;
/** Far above what a run needs that ends. */
const STEPS_MAX = 300_000;
const MANY_RUNS = 120_000;

/** The usual order, with what is left open drawn by lot. */
class DrawnValues extends RunOn {
  private readonly random: Random;

  constructor(seed: number) {
    super();
    this.random = new Random(seed);
  }

  override value(_why = '', n = 1): number {
    return this.random.below(n);
  }
}

const faultsOf = ({ events }: Told): readonly EventOf<'fault'>[] =>
  events.filter((event) => event.kind === 'fault') as unknown as readonly EventOf<'fault'>[];

describe('every fault, alone', () => {
  test.each([
    ['vf-plug-join', 'direct'],
    ['return-as-another-family', 'bytes'],
  ] as const)(
    'in %s over %s: the run comes to a verdict',
    (name, transport) => {
      const struck = FAULT_LINES.filter((line) => {
        const told = runShipped(shippedWith(name, [line], transport), { stepsMax: STEPS_MAX });
        expect([line, told.verdict.limit]).toEqual([line, undefined]);
        return faultsOf(told).length > 0;
      });
      // The rest is about messages that this guest has no use for: interrupts, blocks, sub-channels.
      expect(FAULT_LINES.length).toBeGreaterThan(350);
      expect(struck.length).toBeGreaterThan(190);
    },
    MANY_RUNS,
  );
});

describe.each(STORIES)('many faults at once, in %s', (name) => {
  /** Up to a dozen faults; three in four of them may happen or not. */
  const someLines = (random: Random): readonly string[] =>
    Array.from({ length: 1 + random.below(12) }, () => {
      const line = FAULT_LINES[random.below(FAULT_LINES.length)] ?? '';
      const times = line.includes('silent') ? '' : ` times ${1 + random.below(3)}`;
      return (random.below(4) > 0 ? mayBe(line) : line) + times;
    });

  test.each([
    ['the usual order', (seed: number): Strategy => new DrawnValues(seed)],
    ['any order', (seed: number): Strategy => new Uniform(seed)],
  ] as const)(
    '%s: twice the same, and over both transports',
    (_, strategyOf) => {
      let faults = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const lines = someLines(new Random(seed));
        const run = (transport: 'bytes' | 'direct'): Told =>
          runShipped(shippedWith(name, lines, transport), { stepsMax: STEPS_MAX, strategy: strategyOf(seed) });
        const [first, second, other] = [run('direct'), run('direct'), run('bytes')];
        expect([lines, first.verdict.limit]).toEqual([lines, undefined]);
        expect([lines, second.verdict]).toEqual([lines, first.verdict]);
        expect([lines, second.events.map(traceLine)]).toEqual([lines, first.events.map(traceLine)]);
        expect([lines, other.events.map(traceLine)]).toEqual([lines, first.events.map(traceLine)]);
        faults += faultsOf(first).length;
      }
      expect(faults).toBeGreaterThan(SEEDS);
    },
    MANY_RUNS,
  );
});

describe('a fault that may happen', () => {
  const may = ['host may drop sendVfAssociation of nic1', 'guest may fail ndo_open of nic1.vf with EBUSY'];

  test('does not, in the usual order', () => {
    const told = runShipped(shippedWith('vf-plug-join', may, 'direct'));
    expect([faultsOf(told), told.verdict.exit]).toEqual([[], 0]);
  });

  test('is a choice of the schedule, and happens again when the schedule is followed', () => {
    class Always extends RunOn {
      override value(): number {
        return 1;
      }
    }
    const scenario = shippedWith('vf-plug-join', may, 'direct');
    const order = new RecordOrder(new Always());
    const told = runShipped(scenario, { strategy: order });
    const values = order.choices.filter((choice) => 'why' in choice);
    expect(values).toEqual([
      { why: 'drop sendVfAssociation of nic1', value: 1 },
      { why: 'fail ndo_open of nic1.vf', value: 1 },
    ]);
    const follow = new FollowSchedule(order.choices);
    const again = runShipped(scenario, { strategy: follow });
    expect([follow.divergence, follow.unused]).toEqual([undefined, undefined]);
    expect(again.events.map(traceLine)).toEqual(told.events.map(traceLine));
  });
});

describe('a host that never answers the switch', () => {
  const told = runShipped(shippedWith('vf-plug-join', ['host drop switchDataPathComplete of nic1'], 'direct'));

  test('has the RTNL held for ever, and the verdict says who waits for what (INV-L2)', () => {
    expect(told.verdict.exit).toBe(1);
    const [stuck] = told.verdict.failures.filter(({ kind }) => kind === 'stuck');
    expect(stuck?.found).toContain("nic1.vf_takeover waits: wait nic1 host's answer to SWITCH_DATA_PATH (open)");
    expect(stuck?.found).toMatch(/scenario waits: lock rtnl \(nic1\.vf_takeover\), held by nic1\.vf_takeover/);
  });
});

test.each(['association-lost', 'host-silent-during-probe', 'vf-open-fails'])(
  '%s shows what the reference says',
  (name) => {
    const told = runShipped(shipped(name));
    expect(told.verdict.failures).toEqual([]);
    expect(faultsOf(told).length).toBeGreaterThan(0);
  },
);
