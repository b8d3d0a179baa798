import { describe, expect, test } from 'vitest';
import { parseChoices } from '../../src/explore/schedule.ts';
import { type Story, tellStory } from '../../src/explore/story.ts';
import { type StoryHeader, storyAsHtml } from '../../src/report/story-html.ts';
import { flagTooLate, lostUpdate } from '../explore/toys.ts';

const header: StoryHeader = {
  scenario: 'a flag that comes late',
  machine: 'linux-5.15, direct',
  often: '12 of 18 orders',
  again: "netvsim run flag --order 'reader'",
};

function told(program: Parameters<typeof tellStory>[0], order: string, key: string): Story {
  const choices = parseChoices(order);
  if ('odd' in choices) throw new Error(choices.odd);
  return tellStory(program, choices, key);
}

const page = storyAsHtml(told(flagTooLate({ lock: true }), 'reader', 'unmarked'), header);

/** The tags, each closed where it has to be; throws where one is not. */
function tagsIn(html: string): readonly string[] {
  const body = html.replace(/<style>[^<]*<\/style>/, '').replace('<!DOCTYPE html>', '');
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, slash, name = ''] of body.matchAll(/<(\/?)([a-z0-9]+)(?: [a-z-]+="[^"<>]*")*>/g)) {
    if (slash === '') seen.push(name);
    if (['meta', 'br'].includes(name)) continue;
    if (slash === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  expect(body.replace(/<\/?[a-z0-9]+(?: [a-z-]+="[^"<>]*")*>/g, '')).not.toMatch(/[<>]/);
  return seen;
}

describe('the page of a story', () => {
  test('needs nothing else, and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:|\son[a-z]+=/i);
    expect(page).toContain('@media (prefers-color-scheme: dark)');
  });

  test('is well formed', () => {
    expect(new Set(tagsIn(page))).toEqual(
      new Set(
        [
          'html',
          'head',
          'meta',
          'title',
          'style',
          'body',
          'header',
          'main',
          'section',
          'footer',
          'h1',
          'h2',
          'p',
          'ul',
          'li',
        ]
          .concat(['b', 'i', 'em', 'div', 'span', 'details', 'summary', 'table', 'tr', 'td', 'pre'])
          .filter((tag) => tag !== 'style'),
      ),
    );
  });

  test('says what was found, in what, how often, and how to run it again', () => {
    expect(page).toContain('<h1>unmarked</h1>');
    expect(page).toContain('a flag that comes late <span>linux-5.15, direct</span>');
    expect(page).toContain('Found in 12 of 18 orders. In the smallest order one turn is taken from somebody');
    expect(page).toContain("<pre>netvsim run flag --order 'reader'</pre>");
  });

  test('marks the two that raced and ties them together, and tells what would help', () => {
    expect(page).toContain('<li><b>①</b> step 4: reader: get flag (false), without a lock</li>');
    expect(page).toMatch(/class="step user first" style="grid-row: 5; grid-column: 4 \/ -1"/);
    expect(page).toMatch(/class="step guest second" style="grid-row: 6; grid-column: 3 \/ -1"/);
    // From the first's row and lane down to the second's, to the left.
    expect(page).toContain('<i class="link left" style="grid-row: 5 / 6; grid-column: 3 / 4"></i>');
    expect(page).toContain('<i class="turn right" style="grid-row: 4; grid-column: 3 / 4"></i>');
    expect(page).toContain('<b>What would help:</b> driver lets reader go by put devices (step 2)');
  });

  test('tells the values before and after where the pointer rests', () => {
    expect(page).toContain('title="step 5, 0.000000 s, driver&#10;set flag&#10;before: false&#10;after: true"');
  });

  test('has what is folded inside', () => {
    const noisy = storyAsHtml(told(lostUpdate({ noise: 4 }), 'a b', 'lost update'), header);
    expect(noisy).toMatch(
      /<details><summary>20 more steps: noise 0 ×5[^<]*<\/summary><table>(<tr>.*?<\/tr>){20}<\/table>/,
    );
    tagsIn(noisy);
  });

  test('without a pair it says that it fails in every order tried', () => {
    const story: Story = { ...told(flagTooLate(), 'reader', 'unmarked'), race: undefined, preemptions: 0, runs: 3 };
    const html = storyAsHtml(story, header);
    expect(html).toContain('It fails in every order tried: 3 exchanges of two operations did not help.');
    expect(html).toContain('nobody takes the turn from anybody');
    tagsIn(html);
  });
});

test('names and texts are never markup', () => {
  const evil = `</td></style><script>alert("1")</script><img src=x onerror='alert(2)'>&"`;
  const story = told(flagTooLate({ lock: true }), 'reader', 'unmarked');
  const { race } = story;
  const hostile: Story = {
    ...story,
    key: evil,
    text: evil,
    lanes: story.lanes.map((lane) => `${lane}${evil}`),
    steps: story.steps.map((step) => ({
      ...step,
      context: `${step.context}${evil}`,
      object: evil,
      kind: evil,
      before: evil,
      after: `${evil}!`,
      events: [{ time: 0, step: step.step, context: evil, kind: 'log', level: 'err', dev: evil, text: evil }],
    })),
    race: race && {
      ...race,
      object: evil,
      help: evil,
      first: { ...race.first, context: evil, object: evil, kind: evil, holding: [evil] },
    },
  };
  const html = storyAsHtml(hostile, { scenario: evil, machine: evil, often: evil, again: evil });
  expect(html).not.toMatch(/<script|<img/);
  expect(html.split('<style>')).toHaveLength(2);
  expect(html.split('</style>')).toHaveLength(2);
  tagsIn(html);
});
