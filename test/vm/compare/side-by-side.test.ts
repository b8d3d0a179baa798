import { describe, expect, test } from 'vitest';
import { agrees, type Comparison, formatComparison, unexplained } from '../../../src/report/compare.ts';
import type { Event, EventBody } from '../../../src/trace/event.ts';
import { KnownDifferences } from '../../../src/vm/compare/known-differences.ts';
import { sideBySide } from '../../../src/vm/compare/side-by-side.ts';

const events = (...bodies: readonly EventBody[]): readonly Event[] =>
  bodies.map((body, step) => ({ ...body, time: step, step, context: 'test' }));

const known = (text: string): KnownDifferences => {
  const read = KnownDifferences.parse(text, 'known.yaml');
  if (!read.ok) throw new Error(read.error.join('\n'));
  return read.value;
};

const log = (dev: string, text: string): EventBody => ({ kind: 'log', level: 'info', dev, text });
const uevent = (action: string, dev: string, ifname: string): EventBody => {
  return { kind: 'uevent', action, dev, ifname, ifindex: 2, flags: 0x1802 };
};
const association = (serial: number): EventBody => {
  return {
    kind: 'nvsp.message',
    from: 'host',
    name: 'sendVfAssociation',
    nic: 'nic1',
    detail: `allocated=1 serial=${serial}`,
  };
};

const compared = (model: readonly Event[], real: readonly Event[], text = '[]') =>
  sideBySide({ nics: ['nic1', 'nic2'], user: [], model, real }, known(text));

describe('two runs', () => {
  test('are the same where only numbers and names of things differ', () => {
    const model = events(association(1), uevent('add', 'nic1.vf', 'eth1'), log('nic1', 'VF registering: eth1'));
    const real = events(association(9), uevent('add', 'nic1.vf', 'enp1'), log('nic1', 'VF registering: enp1'));
    const rows = compared(model, real).flatMap((channel) => channel.rows);
    expect(rows.map(({ kind }) => kind)).toEqual(['same', 'same', 'same']);
  });

  test('are held together NIC by NIC: what happens to another one in between is no difference', () => {
    const [one, other] = [uevent('add', 'nic1', 'eth0'), uevent('add', 'nic2', 'eth1')];
    const rows = compared(events(one, other), events(other, one)).flatMap((channel) => channel.rows);
    expect(rows.map(({ kind }) => kind)).toEqual(['same', 'same']);
  });

  test('call an interface by the device that has its name at that moment', () => {
    const run = (vf: string, next: string): readonly Event[] =>
      events(
        uevent('add', 'nic1.vf', vf),
        log('nic1', `joined: ${vf}`),
        uevent('remove', 'nic1.vf', vf),
        uevent('add', 'nic2.vf', next),
        log('nic1', `not ours: ${next}`),
      );
    const rows = compared(run('eth2', 'eth2'), run('eth2', 'eth3')).find(({ channel }) => channel === 'log')?.rows;
    expect(rows).toEqual([
      { kind: 'same', text: 'joined: nic1.vf' },
      { kind: 'same', text: 'not ours: nic2.vf' },
    ]);
  });
});

describe('a report', () => {
  const report = (of: Partial<Comparison>): Comparison => ({
    scenario: 'a scenario',
    model: { guest: 'linux-6.1', exit: 0, failures: [] },
    real: { guest: '6.1.0-50-686', exit: 0, failures: [] },
    notes: [],
    channels: [],
    ...of,
  });
  const style = { colour: false, width: 120 };
  const model = events(uevent('add', 'nic1', 'eth0'), log('nic1', 'only here'));
  const real = events(uevent('add', 'nic1', 'eth0'));

  test('ends with what nobody has explained', () => {
    const open = report({ channels: compared(model, real) });
    expect(agrees(open)).toBe(false);
    expect(unexplained(open)).toHaveLength(1);
    const lines = formatComparison(open, style).trimEnd().split('\n');
    expect(lines[0]).toBe(
      'DIFFERS: a scenario (linux-6.1 and 6.1.0-50-686: 1 lines the same, 1 differ, 1 not explained)',
    );
    expect(lines.slice(-2)).toEqual(['NOT EXPLAINED:', '  nic1 log: only the model: only here']);
  });

  test('says what explains a difference, and where that can be read', () => {
    const text = '- { id: spoken, channel: log, model: only here, reason: it talks, source: its mouth }';
    const closed = report({ channels: compared(model, real, text) });
    expect(agrees(closed)).toBe(true);
    const said = formatComparison(closed, style);
    expect(said).toMatch(/^agrees: a scenario \(.*all explained\)\n/);
    expect(said).toMatch(/only here +< +\[spoken\]\n/);
    expect(said).toContain('[spoken] 1x: it talks (its mouth)\n');
  });

  test('does not agree where a run has failed', () => {
    const failed = report({ real: { guest: '6.1.0-50-686', exit: 1, failures: ['line 3: expect nic1 is up: down'] } });
    expect(agrees(failed)).toBe(false);
    expect(formatComparison(failed, style)).toContain('6.1.0-50-686: line 3: expect nic1 is up: down');
  });
});
