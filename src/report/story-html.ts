/**
 * A story as one page that needs nothing else: no network and no script. Lanes as in the terminal, what is folded can be
 * opened, the two operations that raced are tied together, and hovering tells the values before and after.
 */
import { formatMoment } from '../base/time.ts';
import type { Story, StoryStep } from '../explore/story.ts';
import { escapeXml } from './junit.ts';
import { MOMENT_SIGNS, RACE_SIGNS, sayMoment, sayNoRace, sayOtherWay, sayRace, saySide } from './race-words.ts';
import {
  type Fold,
  type Lane,
  type Layout,
  type Line,
  layOut,
  operationOf,
  type ShownStep,
  sayFold,
} from './story-lanes.ts';
import { STORY_STYLE } from './story-style.ts';
import { tell } from './words.ts';

/** What the story is a story of. */
export interface StoryHeader {
  readonly scenario: string;
  /** `linux-5.15, direct`: the machine, and how it was searched. */
  readonly machine: string;
  /** In how many orders it was found, in words. */
  readonly often: string;
  /** The command that runs the order again. */
  readonly again: string;
}

/** Columns before the first lane: the moment, the step. */
const MARGIN = 2;

export function storyAsHtml(story: Story, header: StoryHeader): string {
  const { key, text, preemptions } = story;
  const layout = layOut(story);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(`${key}: ${header.scenario}`)}</title>
<style>${STORY_STYLE}</style>
</head>
<body>
<header>
<p class="about">${escapeXml(header.scenario)} <span>${escapeXml(header.machine)}</span></p>
<h1>${escapeXml(key)}</h1>
<p class="text">${escapeXml(text)}</p>
<p class="often">Found in ${escapeXml(header.often)}. In the smallest order ${sayTurns(preemptions)}.</p>
</header>
<main>
${raceBox(story)}
${new Page(layout).lanes()}
</main>
<footer>
<p>Run it again:</p>
<pre>${escapeXml(header.again)}</pre>
${story.steps.some(({ moment }) => moment === 'since') ? `<p>${MOMENT_SIGNS.since} ${escapeXml(sayMoment(key))}</p>` : ''}
</footer>
</body>
</html>
`;
}

function sayTurns(preemptions: number): string {
  if (preemptions === 0) return 'nobody takes the turn from anybody';
  const turns = preemptions === 1 ? 'one turn is taken' : `${preemptions} turns are taken`;
  return `${turns} from somebody who could have gone on`;
}

function raceBox({ key, race, runs }: Story): string {
  if (race === undefined) return `<section class="race none"><p>${escapeXml(sayNoRace(runs))}</p></section>`;
  const sides = (['first', 'second'] as const).map(
    (which) => `<li><b>${RACE_SIGNS[which]}</b> ${escapeXml(saySide(race, which))}</li>`,
  );
  return `<section class="race">
<h2>${escapeXml(sayRace(race))}</h2>
<ul>${sides.join('')}</ul>
<p>${escapeXml(sayOtherWay(key))}</p>
<p class="help"><b>What would help:</b> ${escapeXml(race.help)}</p>
</section>`;
}

/** Where something lies in the grid; lines are counted from one. */
interface Place {
  readonly row: number | readonly [number, number];
  readonly column: number | readonly [number, number];
}

class Page {
  private readonly layout: Layout;
  /** The row that comes next; the first one has the names. */
  private row = 2;
  private readonly cells: string[] = [];
  /** Where the two that raced are. */
  private readonly raced: { readonly row: number; readonly column: number }[] = [];
  private time: number | undefined;

  constructor(layout: Layout) {
    this.layout = layout;
  }

  lanes(): string {
    const { lanes, rows } = this.layout;
    for (const row of rows) {
      if ('folded' in row) this.fold(row);
      else this.step(row);
    }
    const names = lanes.map(({ name, side }, i) =>
      put('div', `name ${side}`, { row: 1, column: columnOf(i) }, escapeXml(name)),
    );
    const guides = lanes.map(({ side }, i) =>
      put('i', `guide ${side}`, { row: [2, this.row], column: columnOf(i) }, ''),
    );
    const columns = `5.6rem 3.2rem repeat(${Math.max(0, lanes.length - 1)}, minmax(5.5rem, 1fr)) minmax(14rem, 2.2fr)`;
    const all = [...names, ...guides, ...this.link(), ...this.cells];
    return `<section class="lanes" style="grid-template-columns: ${columns}">\n${all.join('\n')}\n</section>`;
  }

  private fold(row: Fold): void {
    const steps = row.folded.map(quietStep).join('');
    const inside = `<details><summary>${escapeXml(sayFold(row, this.layout.lanes))}</summary><table>${steps}</table></details>`;
    this.cells.push(put('div', 'fold', { row: this.row++, column: [columnOf(row.lane), -1] }, inside));
  }

  private step(row: ShownStep): void {
    const { step, lane, lines, operation } = row;
    this.margin(step);
    const inLane = lines.filter(({ isAside }) => !isAside);
    if (operation !== undefined || inLane.length > 0) {
      if (step.preempts) this.turn(row);
      const column = columnOf(lane);
      if (step.racing !== undefined && lane !== undefined) this.raced.push({ row: this.row, column });
      this.cells.push(
        put(
          'div',
          classOf(row, this.layout.lanes),
          { row: this.row++, column: [column, -1] },
          this.words(row),
          hoverOf(step),
        ),
      );
    }
    for (const { text, tone } of lines.filter(({ isAside }) => isAside)) {
      const place = { row: this.row++, column: [MARGIN + 1, -1] } as const;
      this.cells.push(put('div', `aside ${tone}`, place, `<p><span>${escapeXml(text)}</span></p>`));
    }
  }

  private margin({ time, step }: StoryStep): void {
    const moment = time === this.time ? '' : formatMoment(time);
    this.time = time;
    this.cells.push(put('span', 'time', { row: this.row, column: 1 }, moment));
    this.cells.push(put('span', 'number', { row: this.row, column: 2 }, String(step)));
  }

  private words({ step, lane, operation, lines }: ShownStep): string {
    const isOwn = lane !== undefined && this.layout.lanes[lane]?.isShared === false;
    const who = isOwn ? '' : `<b>${escapeXml(step.context)}</b> `;
    const first = operation === undefined ? [] : [`<span class="operation">${escapeXml(operation)}</span>`];
    const told = lines.filter(({ isAside }) => !isAside).map(spoken);
    const turn = step.preempts ? ' <em>takes the turn</em>' : '';
    return [...first, ...told].map((text, i) => `<p>${i === 0 ? who : ''}${text}${i === 0 ? turn : ''}</p>`).join('');
  }

  /** The line from the lane whose turn is taken. */
  private turn({ lane, takenFrom }: ShownStep): void {
    if (lane === undefined || takenFrom === undefined || lane === takenFrom) return;
    const [from, to] = [columnOf(takenFrom), columnOf(lane)];
    const direction = from < to ? 'right' : 'left';
    const column = [Math.min(from, to), Math.max(from, to)] as const;
    this.cells.push(put('i', `turn ${direction}`, { row: this.row, column }, ''));
  }

  /** From the first of the two that raced down to the second. */
  private link(): readonly string[] {
    const [first, second] = this.raced;
    if (first === undefined || second === undefined || first.column === second.column) return [];
    const direction = first.column < second.column ? 'right' : 'left';
    const column = [Math.min(first.column, second.column), Math.max(first.column, second.column)] as const;
    return [put('i', `link ${direction}`, { row: [first.row, second.row], column }, '')];
  }
}

const columnOf = (lane: number | undefined): number => MARGIN + 1 + (lane ?? 0);

function put(tag: string, name: string, { row, column }: Place, inside: string, hover = ''): string {
  const span = (place: number | readonly [number, number]): string =>
    typeof place === 'number' ? String(place) : `${place[0]} / ${place[1]}`;
  const title = hover === '' ? '' : ` title="${escapeXml(hover)}"`;
  return `<${tag} class="${name}" style="grid-row: ${span(row)}; grid-column: ${span(column)}"${title}>${inside}</${tag}>`;
}

function classOf({ step, lane }: ShownStep, lanes: readonly Lane[]): string {
  const side = (lane === undefined ? undefined : lanes[lane]?.side) ?? 'scenario';
  const { preempts, racing, moment } = step;
  return ['step', side, racing ?? '', moment ?? '', preempts ? 'preempts' : ''].filter((name) => name !== '').join(' ');
}

const spoken = ({ text, tone }: Line): string => `<span class="${tone}">${escapeXml(text)}</span>`;

/** A step that is folded, as a row of a table. */
function quietStep(step: StoryStep): string {
  const told = step.events.map((event) => `<br>${escapeXml(tell(event).text)}`).join('');
  const cells = [formatMoment(step.time), String(step.step), step.context].map((text) => `<td>${escapeXml(text)}</td>`);
  return `<tr>${cells.join('')}<td>${escapeXml(operationOf(step))}${told}</td></tr>`;
}

/** What stands in a step's title. */
function hoverOf(step: StoryStep): string {
  const { context, kind, object, before, after, waits } = step;
  const head = `step ${step.step}, ${formatMoment(step.time)} s, ${context}`;
  if (kind === '') return head;
  return `${head}\n${waits ? 'waits to ' : ''}${kind} ${object}\nbefore: ${before}\nafter: ${after}`;
}
