import { describe, expect, test } from 'vitest';
import { ms } from '../../src/base/time.ts';
import { figuresOf, PhaseClock, worstGap } from '../../src/drill/figures.ts';
import { PathMonitor } from '../../src/drill/path-monitor.ts';
import type { Event, EventBody } from '../../src/trace/event.ts';
import { Frames } from '../../src/trace/frames.ts';

const flags = (dev: string, up: boolean): EventBody => {
  return { kind: 'netdev.flags', dev, flags: up ? 0x1003 : 0x1002, gained: '', lost: '' };
};
const carrier = (dev: string, up: boolean): EventBody => ({ kind: 'netdev.carrier', dev, up });
const alive = (yes: boolean): EventBody => ({ kind: 'vf.alive', dev: 'nic1.vf', alive: yes });
const guest = (path: 'vf' | 'synthetic'): EventBody => ({ kind: 'guest.datapath', nic: 'nic1', path });
const host = (path: 'vf' | 'synthetic'): EventBody => ({ kind: 'host.datapath', nic: 'nic1', path, why: '' });

function watch(script: readonly (readonly [number, EventBody])[]): PathMonitor {
  const monitor = new PathMonitor('nic1', { looksAtVf: true });
  for (const [at, body] of script) monitor.see({ time: ms(at), step: 0, context: '', ...body } as Event);
  return monitor;
}

/** Up on the synthetic path at 10 ms, on the VF from 20 ms on. */
const JOINED: readonly (readonly [number, EventBody])[] = [
  [10, flags('nic1', true)],
  [15, alive(true)],
  [16, flags('nic1.vf', true)],
  [17, carrier('nic1.vf', true)],
  [20, host('vf')],
  [20, guest('vf')],
];

describe('when there is no path', () => {
  test('before the NIC is up', () => {
    expect(watch(JOINED).gaps(0, ms(100))).toEqual([
      { direction: 'tx', from: 0, to: ms(10) },
      { direction: 'rx', from: 0, to: ms(10) },
    ]);
  });

  test('not while a VF is handed back in good order', () => {
    const monitor = watch([
      ...JOINED,
      [30, host('synthetic')],
      [30, guest('synthetic')],
      [31, flags('nic1.vf', false)],
      [40, alive(false)],
    ]);
    expect(monitor.gaps(ms(10), ms(100))).toEqual([]);
    expect(monitor.pathsWithin(ms(10), ms(100))).toEqual(['synthetic', 'vf', 'synthetic']);
    expect(monitor.pathsWithin(ms(25), ms(29))).toEqual(['vf']);
  });

  test('a dead VF: nothing comes in until the host moves, nothing goes out until the guest does', () => {
    const monitor = watch([...JOINED, [30, alive(false)], [35, host('synthetic')], [80, carrier('nic1.vf', false)]]);
    expect(monitor.gaps(ms(10), ms(100))).toEqual([
      { direction: 'rx', from: ms(30), to: ms(35) },
      { direction: 'tx', from: ms(30), to: ms(80) },
    ]);
    expect(monitor.without('tx', ms(40), ms(100))).toBe(ms(40));
    expect(worstGap([monitor], ms(10), ms(100))).toEqual({ nic: 'nic1', direction: 'tx', from: ms(30), span: ms(50) });
  });

  test('a host that moves first: what the guest sends by the VF is lost', () => {
    const monitor = watch([...JOINED, [30, host('synthetic')], [33, guest('synthetic')]]);
    expect(monitor.gaps(ms(10), ms(100))).toEqual([{ direction: 'tx', from: ms(30), to: ms(33) }]);
  });

  test('one that never ends', () => {
    const monitor = watch([...JOINED, [30, flags('nic1', false)]]);
    expect(monitor.without('rx', ms(10), ms(100))).toBe(ms(70));
    expect(worstGap([monitor], ms(10), ms(100))?.span).toBe(ms(70));
  });
});

test('phases run from the first flow to the end of the flows, and frames are counted in the phase they were sent in', () => {
  const clock = new PhaseClock();
  const say = (at: number, body: EventBody) => clock.see({ time: ms(at), step: 0, context: '', ...body } as Event);
  const phase = (name: string, round: number): EventBody => ({ kind: 'servicing.phase', phase: name, round });
  say(5, { kind: 'scenario.step', line: 1, text: 'host offer nic1' });
  say(10, { kind: 'scenario.step', line: 1, text: 'flow echo on nic1 every 10ms' });
  for (const [at, name, round] of [
    [30, 'revoke', 1],
    [32, 'gap', 1],
    [40, 'return', 1],
    [44, 'revoke', 2],
    [46, 'gap', 2],
    [50, 'return', 2],
    [52, 'done', 2],
  ] as const) {
    say(at, phase(name, round));
  }
  say(60, { kind: 'scenario.step', line: 1, text: 'flow stop echo-nic1' });
  const spans = clock.spans(ms(99));
  expect(spans.map(({ name, from, to }) => [name, from / ms(1), to / ms(1)])).toEqual([
    ['steady', 10, 30],
    ['revoke', 30, 32],
    ['gap', 32, 40],
    ['return', 40, 44],
    ['revoke', 44, 46],
    ['gap', 46, 50],
    ['return', 50, 52],
    ['steady after', 52, 60],
  ]);
  const frames = new Frames();
  const { tx } = frames.flow('echo');
  for (const at of [10, 20, 30, 40, 45, 50]) {
    const id = tx.sent(ms(at), 'vf');
    if (at !== 45) tx.received(id);
  }
  const figures = figuresOf(spans, [watch(JOINED)], frames);
  expect(
    figures.map(({ phase: name, rounds, frames: { tx: counts } }) => [name, rounds, counts.sent, counts.lost]),
  ).toEqual([
    ['steady', 1, 2, 0],
    ['revoke', 2, 2, 1],
    ['gap', 2, 0, 0],
    ['return', 2, 2, 0],
    ['steady after', 1, 0, 0],
  ]);
  expect(figures[2]?.lasts).toBe(ms(6));
});
