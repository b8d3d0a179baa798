import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { diffTraces } from '../../src/report/diff.ts';
import { runAsJson, traceAsJson } from '../../src/report/json.ts';
import { formatJunit } from '../../src/report/junit.ts';
import { formatEvent, formatTimeline, formatVerdict } from '../../src/report/timeline.ts';
import { EVENT_KINDS, tell } from '../../src/report/words.ts';
import type { Verdict } from '../../src/scenario/verdict.ts';
import type { TraceHeader } from '../../src/trace/codec.ts';
import type { Event } from '../../src/trace/event.ts';

const header: TraceHeader = {
  scenario: 'a VF',
  guest: 'linux-6.12',
  transport: 'bytes',
  schedule: '',
  netvsim: '0.1.0',
};
const events: readonly Event[] = [
  { time: 0, step: 1, context: 'scenario', kind: 'scenario.step', line: 12, text: 'host offer nic1' },
  { time: 20_000, step: 2, context: 'host.vmbus', kind: 'host.action', action: 'offer', dev: 'nic1' },
  {
    time: ms(1),
    step: 9,
    context: 'netvsc_probe',
    kind: 'vmbus.message',
    from: 'guest',
    name: 'openChannel',
    dev: 'nic1',
    detail: '',
  },
  {
    time: ms(2),
    step: 10,
    context: 'netvsc_probe',
    kind: 'netdev.flags',
    dev: 'nic1',
    flags: 0x1003,
    gained: 'UP',
    lost: '',
  },
  {
    time: ms(3),
    step: 11,
    context: 'manager',
    kind: 'lease',
    dev: 'nic1',
    mac: '00:0d:3a:12:34:56',
    address: '10.0.0.4',
    held: true,
  },
  {
    time: seconds(5),
    step: 12,
    context: 'a-context-with-a-very-long-name',
    kind: 'log',
    level: 'err',
    dev: 'nic1',
    text: 'VF failed',
  },
];
const verdict: Verdict = {
  exit: 1,
  failures: [
    { kind: 'expectation', line: 14, what: 'expect nic1 is up', found: 'found down', at: seconds(5), step: 12 },
  ],
  exemptions: ['early does not bind nic1.vf: nobody was listed'],
  limit: undefined,
  stop: 'idle',
  counts: { steps: 12, events: 6, expectations: 1 },
  endTime: seconds(5),
};

test('the verdict says what was run, and each failure', () => {
  expect(formatVerdict(header, verdict, false)).toBe(`FAILED: a VF (linux-6.12, 5 s of virtual time, 12 steps, 6 events)
  5.000000  line 14: expect nic1 is up: found down
  note: early does not bind nic1.vf: nobody was listed
`);
});

test('a timeline: time, context, what, indented by who; set-up is left out', () => {
  expect(formatTimeline(events, { colour: false, verbose: false })).toBe(
    `      0.000000  scenario                12: host offer nic1
      0.000020  host.vmbus                offer nic1
      0.002000  netvsc_probe                nic1 flags 0x1003 +UP
      0.003000  manager                       nic1 holds 10.0.0.4 (00:0d:3a:12:34:56)
      5.000000  a-context-with-a-very~      log: VF failed
(1 more events with --verbose)
`,
  );
});

test('--verbose hides nothing; colour is asked for', () => {
  expect(formatTimeline(events, { colour: false, verbose: true })).toContain('VMBus openChannel nic1');
  expect(formatTimeline(events, { colour: true, verbose: false })).toContain('\u001b[31m    log: VF failed\u001b[0m');
});

describe('words', () => {
  test('a kind that nobody knows is told by its fields', () => {
    const event = { time: 0, step: 0, context: 'x', kind: 'new.kind', dev: 'nic1', n: 3 } as unknown as Event;
    expect(tell(event).text).toBe('new.kind dev=nic1 n=3');
  });

  test('every kind has its words', () => {
    expect(EVENT_KINDS.length).toBeGreaterThan(40);
  });
});

describe('the difference of two traces', () => {
  const left = { name: 'a', trace: { header, events } };
  const other = (changed: readonly Event[]) => ({ name: 'b', trace: { header, events: changed } });

  test('none', () => {
    expect(diffTraces(left, other(structuredClone(events) as Event[]))).toBeUndefined();
  });

  test('the first one, with what was before', () => {
    const changed = events.map((event, i) => (i === 3 ? ({ ...event, flags: 0x1803 } as Event) : event));
    const difference = diffTraces(left, other(changed));
    expect(difference?.at).toBe(3);
    expect(difference?.text).toContain(
      'first difference: event 4, at 0.002000 s\n  0.000000  scenario  12: host offer nic1',
    );
    expect(difference?.text).toContain('- 0.002000  netvsc_probe      nic1 flags 0x1003 +UP');
    expect(difference?.text).toContain('+ 0.002000  netvsc_probe      nic1 flags 0x1803 +UP');
  });

  test('one that ends early', () => {
    expect(diffTraces(left, other(events.slice(0, 5)))?.text).toMatch(/\+ \(ends here\)\n$/);
  });

  test('only another guest', () => {
    const right = { name: 'b', trace: { header: { ...header, guest: 'linux-5.15' }, events } };
    expect(diffTraces(left, right)?.text).toBe('- a\n+ b\nguest: linux-6.12 | linux-5.15\nthe events are the same\n');
  });
});

test('JUnit: failures, limits, and what XML cannot hold', () => {
  const xml = formatJunit('netvsim run', [
    { name: 'good', group: 'g', time: ms(1500), failures: [] },
    { name: 'b<a>d "&"', group: 'g', time: 0, failures: ['one\u0007', 'two'] },
    { name: 'endless', group: 'g', time: 0, failures: [], error: 'limit' },
  ]);
  expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="1" time="1.500000">
  <testsuite name="netvsim run" tests="3" failures="1" errors="1" time="1.500000">
    <testcase name="good" classname="g" time="1.500000"/>
    <testcase name="b&lt;a&gt;d &quot;&amp;&quot;" classname="g" time="0.000000">
      <failure message="one?">one?&#10;two</failure>
    </testcase>
    <testcase name="endless" classname="g" time="0.000000">
      <error message="limit"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test('JSON says its format and version first', () => {
  expect(JSON.parse(runAsJson(header, verdict, events))).toMatchObject({ format: 'netvsim run', version: 1, exit: 1 });
  const json = traceAsJson({ header, events });
  expect(json).toMatch(/^\{\n {2}"format": "netvsim trace",\n {2}"version": 1,/);
  expect(JSON.parse(json).events).toHaveLength(6);
});

test('one event without colour or indentation of its time', () => {
  expect(formatEvent(events[1] as Event)).toBe('0.000020  host.vmbus    offer nic1');
});
