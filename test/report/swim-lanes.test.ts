import { describe, expect, test } from 'vitest';
import { parseChoices } from '../../src/explore/schedule.ts';
import { type Story, type StoryStep, tellStory } from '../../src/explore/story.ts';
import { formatSwimLanes } from '../../src/report/swim-lanes.ts';
import type { Event } from '../../src/trace/event.ts';
import { flagTooLate, lostUpdate, twoLocks } from '../explore/toys.ts';

const WIDE = { colour: false, width: 100 };

function story(program: Parameters<typeof tellStory>[0], order: string, key: string): Story {
  const choices = parseChoices(order);
  if ('odd' in choices) throw new Error(choices.odd);
  return tellStory(program, choices, key);
}

test('a lane a context, the turn that is taken, the two that raced, and beneath what would have helped', () => {
  expect(formatSwimLanes(story(flagTooLate({ lock: true }), 'reader', 'unmarked'), WIDE)).toBe(
    `                    driver
       time   step  │                   reader
                    ┊ lock rtnl: free → driver
   0.000000      2  ● put devices: 0 → 1
                    ╰───────────────────╮ takes the turn
                 3  │                   ● take devices: 1 → 0
                 4  ┃                   ① get flag (false)
                    ┃                   ┃ manager: looks at vf (eth1)
                 5  ② set flag: false → true
                    ┊ unlock rtnl: driver → free

The race: both touch flag.
  ① step 4: reader: get flag (false), without a lock
  ② step 5: driver: set flag: false → true, holding rtnl
The other way round "unmarked" is gone.
What would help: driver lets reader go by put devices (step 2): its set flag should come before
  that. Or reader takes rtnl for its get flag: driver has it from before that until behind its set
  flag.
`,
  );
});

test('an operation that was never done stands where it waits', () => {
  const text = formatSwimLanes(story(twoLocks, 'ab ba', 'deadlock'), WIDE);
  expect(text).toContain('② waits to lock B (ba)');
  expect(text).toContain('② behind step 2: ab: waits to lock B (ba), holding A');
});

test('where nothing helps, it says how much was tried', () => {
  const failing = { ...story(flagTooLate(), 'reader', 'unmarked'), race: undefined };
  const text = (runs: number): string =>
    formatSwimLanes({ ...failing, runs }, WIDE)
      .trimEnd()
      .split('\n')
      .at(-1) ?? '';
  expect(text(0)).toBe('It fails in every order tried: no two operations here could have come the other way round.');
  expect(text(1)).toBe('It fails in every order tried: the one exchange of two operations did not help.');
  expect(text(17)).toBe('It fails in every order tried: 17 exchanges of two operations did not help.');
});

test('a narrow terminal has a list', () => {
  const text = formatSwimLanes(story(flagTooLate(), 'reader', 'unmarked'), { colour: false, width: 50 });
  expect(text).toMatch(/^ {3}0\.000000 {6}1 {2}● driver: put devices: 0 → 1\n {20}╷ takes the turn\n/);
  expect(text).toContain(' 3  ① reader: get flag (false)\n');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(50);
});

test('colour is asked for, and changes no word', () => {
  const told = story(flagTooLate(), 'reader', 'unmarked');
  const coloured = formatSwimLanes(told, { colour: true, width: 100 });
  expect(coloured).toContain('\u001b[1;33m┃                   ① get flag (false)\u001b[0m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what paints begins with one
  expect(coloured.replace(/\u001b\[[\d;]*m/g, '')).toBe(formatSwimLanes(told, WIDE));
});

describe('what is shown', () => {
  const noisy = story(lostUpdate({ noise: 9 }), 'a b', 'lost update');

  test('steps that say nothing are folded, with their count', () => {
    const text = formatSwimLanes(noisy, WIDE);
    expect(text).toMatch(/┊ 45 more steps: noise 0 ×5, noise 1 ×5, noise 2 ×5, noise 3 ×5, \.\.\.\n/);
    // What is done meanwhile to what they race for is no such step.
    expect(text).toContain('● set counter: 0 → 1\n');
    expect(text.split('\n').length).toBeLessThan(20);
  });

  test('every line fits, however wide it is', () => {
    for (const width of [60, 72, 80, 100, 140]) {
      for (const line of formatSwimLanes(noisy, { colour: false, width }).split('\n')) {
        expect([width, line.length <= width, line]).toEqual([width, true, line]);
      }
    }
  });

  test('those who only play along share a lane, and are named in it', () => {
    const log = (context: string, step: number): StoryStep => stepOf(context, step, [logOf(context, step)]);
    const contexts = ['host.vmbus', 'host.nic1', 'host.switch'];
    const told: Story = {
      ...plain,
      lanes: [...contexts, 'probe'],
      sides: ['host', 'host', 'host', 'guest'],
      steps: [...contexts.map(log), { ...log('probe', 4), moment: 'found' }],
    };
    const lines = formatSwimLanes(told, WIDE).split('\n');
    expect(lines.slice(0, 5)).toEqual([
      '                    the rest of the host',
      '       time   step  │                   probe',
      '   0.000000      0  ● host.vmbus: log: host.vmbus',
      '                 1  ● host.nic1: log: host.nic1',
      '                 2  ● host.switch: log: host.switch',
    ]);
    expect(lines[5]).toBe('                 4  │                   ✗ log: probe');
  });

  test('a turn is taken from the right as well; from a shared lane there is no line', () => {
    const took = (context: string, step: number, takenFrom: string): StoryStep => ({
      ...stepOf(context, step, []),
      preempts: true,
      takenFrom,
    });
    const told: Story = {
      ...plain,
      lanes: ['host.nic1', 'probe'],
      sides: ['host', 'guest'],
      steps: [stepOf('probe', 1, []), took('host.nic1', 2, 'probe'), took('probe', 3, 'gone')],
    };
    const lines = formatSwimLanes(told, WIDE).split('\n');
    expect(lines[3]).toBe('                    ╭───────────────────╯ takes the turn');
    expect(lines[5]).toBe('                    │                   ╷ takes the turn');
  });
});

test('names are only names: nothing in them moves the cursor', () => {
  const context = '\u001b[2Jevil\nname';
  const told: Story = {
    ...plain,
    key: 'key\u0007',
    lanes: [context],
    sides: ['guest'],
    steps: [{ ...stepOf(context, 1, [logOf('\u001b]0;title\u0007', 1)]), object: 'a\rb', moment: 'since' }],
  };
  const text = formatSwimLanes(told, WIDE);
  expect(text).toContain('?[2Jevil?name');
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

const plain: Story = {
  key: 'key',
  text: 'it fails',
  preemptions: 0,
  lanes: [],
  sides: [],
  steps: [],
  race: undefined,
  runs: 0,
};

const logOf = (text: string, step: number): Event => ({
  time: 0,
  step,
  context: text,
  kind: 'log',
  level: 'info',
  dev: 'nic1',
  text,
});

function stepOf(context: string, step: number, events: readonly Event[]): StoryStep {
  const what = {
    object: 'flag',
    kind: 'get',
    before: 1,
    after: 1,
    preempts: false,
    takenFrom: undefined,
    waits: false,
  };
  return { step, time: 0, context, ...what, events, racing: undefined, moment: undefined };
}
