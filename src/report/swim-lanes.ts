/**
 * A story for the terminal: time and step at the left, a lane a context, what each does in its lane, and beneath it the
 * two operations that raced and what would have helped. Where the lanes would be too narrow for words, a list.
 */
import { formatMoment } from '../base/time.ts';
import type { Story, StoryStep } from '../explore/story.ts';
import { printable } from '../scenario/problem.ts';
import type { ContextSide } from '../sim/context.ts';
import { drawLine, type Piece, wrapText } from './drawing.ts';
import { MOMENT_SIGNS, RACE_SIGNS, sayMoment, sayNoRace, sayOtherWay, sayRace, saySide } from './race-words.ts';
import { type Fold, type Layout, type Line, layOut, type ShownStep, sayFold } from './story-lanes.ts';

export interface LaneStyle {
  /** Only for terminals. */
  readonly colour: boolean;
  /** Columns. */
  readonly width: number;
}

const COLOUR: Readonly<Record<ContextSide, string>> = { scenario: '1', clock: '2', host: '36', guest: '0', user: '32' };
const RED = '31';
const STRONG = '1;33';
const DIM = '2';
/** Seconds with six decimals, and the number of the step. */
const MARGIN = 20;
/** What the last lane needs for its words, and how far lanes are apart at least and at most. */
const WORDS_WIDTH = 34;
const [NEAREST, FARTHEST] = [8, 20];
/** Narrower than that nothing is wrapped to. */
const NARROWEST = 40;

/** What is found is not said again: only how it comes about. */
export function formatSwimLanes(story: Story, { colour, width: given }: LaneStyle): string {
  const width = Math.max(NARROWEST, given);
  const layout = layOut(story);
  const distance = Math.min(
    FARTHEST,
    Math.floor((width - MARGIN - WORDS_WIDTH) / Math.max(1, layout.lanes.length - 1)),
  );
  const drawing = new Drawing(layout, distance >= NEAREST ? distance : 0, { width, colour });
  return [...drawing.lines(), '', ...explain(story, width)].map((line) => `${line}\n`).join('');
}

/** The race in words, and what else is meant by the signs. */
function explain(story: Story, width: number): readonly string[] {
  const { key, race, runs, steps } = story;
  const lines: string[] = [];
  const say = (text: string, indent: number): void => {
    lines.push(...wrapText(printable(text), width, indent));
  };
  if (steps.some(({ moment }) => moment === 'since')) say(`${MOMENT_SIGNS.since} ${sayMoment(key)}`, 2);
  if (race === undefined) say(sayNoRace(runs), 2);
  else {
    say(sayRace(race), 2);
    for (const which of ['first', 'second'] as const) say(`  ${RACE_SIGNS[which]} ${saySide(race, which)}`, 4);
    say(sayOtherWay(key), 2);
    say(`What would help: ${race.help}`, 2);
  }
  return lines;
}

class Drawing {
  private readonly layout: Layout;
  /** Columns from lane to lane; 0 for a list. */
  private readonly distance: number;
  private readonly style: LaneStyle;
  /** The moment that was shown last. */
  private time: number | undefined;
  /** Lanes of the two that raced, from the one operation to the other. */
  private racing: readonly (number | undefined)[] = [];

  constructor(layout: Layout, distance: number, style: LaneStyle) {
    this.layout = layout;
    this.distance = distance;
    this.style = style;
  }

  lines(): readonly string[] {
    const { rows } = this.layout;
    return [...this.head(), ...rows.flatMap((row) => ('folded' in row ? this.fold(row) : this.step(row)))];
  }

  /** Each name stands where its lane begins, above the names at its right. */
  private head(): readonly string[] {
    if (this.distance === 0) return [];
    const margin = { at: 0, text: 'time   step'.padStart(MARGIN - 2), code: DIM };
    return this.layout.lanes.map(({ name, side }, i) => {
      const pieces = [{ at: this.at(i), text: printable(name), code: COLOUR[side] }];
      return this.draw(i === this.layout.lanes.length - 1 ? [margin, ...pieces] : pieces, i);
    });
  }

  private fold(row: Fold): readonly string[] {
    const at = this.at(row.lane);
    const words = printable(sayFold(row, this.distance === 0 ? [] : this.layout.lanes));
    const [text = ''] = wrapText(`┊ ${words}`, this.style.width - at, 2);
    return [this.draw([{ at, text, code: DIM }])];
  }

  private step(row: ShownStep): readonly string[] {
    const { step } = row;
    const turn = this.turn(row);
    const words = [...this.wordsInLane(row), ...this.asides(row)];
    const margin = marginOf(step, this.time);
    this.time = step.time;
    if (step.racing === 'first') this.racing = this.racingLanes();
    if (step.racing === 'second') this.racing = [];
    return [...turn, ...words.map((pieces, i) => this.draw(i === 0 ? [margin, ...pieces] : pieces))];
  }

  /** What its context does, and what is told of it; the first line has a sign. */
  private wordsInLane({ step, lane, operation, lines }: ShownStep): readonly (readonly Piece[])[] {
    const at = this.at(lane);
    const side = (lane === undefined ? undefined : this.layout.lanes[lane]?.side) ?? 'scenario';
    const isOwn = this.distance > 0 && lane !== undefined && this.layout.lanes[lane]?.isShared === false;
    const who = isOwn ? '' : `${step.context}: `;
    const own = lines.filter(({ isAside }) => !isAside);
    const all = operation === undefined ? own : [{ text: operation, tone: 'plain' } as const, ...own];
    const plain = step.racing === undefined ? COLOUR[side] : STRONG;
    const words = all.flatMap(({ text, tone }, i) =>
      wrapText(printable(i === 0 && !text.startsWith(who) ? `${who}${text}` : text), this.style.width - at - 2, 2).map(
        (part) => ({
          at: at + 2,
          text: part,
          code: tone === 'plain' ? plain : RED,
        }),
      ),
    );
    const sign = { at, text: signOf(step), code: codeOfSign(step, COLOUR[side]) };
    return words.map((piece, i) => (i === 0 ? [sign, piece] : [piece]));
  }

  /** What no context says, over all lanes. */
  private asides({ lines }: ShownStep): readonly (readonly Piece[])[] {
    return lines
      .filter(({ isAside }) => isAside)
      .flatMap(({ text, tone }) => {
        const code = tone === 'plain' ? COLOUR.scenario : RED;
        const parts = wrapText(`${ASIDE_SIGNS[tone]} ${printable(text)}`, this.style.width - MARGIN, 2);
        return parts.map((part) => [{ at: MARGIN, text: part, code }]);
      });
  }

  /** The line that leads from the lane whose turn is taken. */
  private turn({ step, lane, takenFrom: from }: ShownStep): readonly string[] {
    if (!step.preempts) return [];
    if (this.distance === 0 || lane === undefined || from === undefined || from === lane) {
      return [this.draw([{ at: this.at(lane), text: '╷ takes the turn', code: STRONG }])];
    }
    const [left, right] = [Math.min(from, lane), Math.max(from, lane)];
    const line = '─'.repeat(this.at(right) - this.at(left) - 1);
    const text = from < lane ? `╰${line}╮ takes the turn` : `╭${line}╯ takes the turn`;
    return [this.draw([{ at: this.at(left), text, code: STRONG }])];
  }

  private at(lane: number | undefined): number {
    return MARGIN + (lane ?? 0) * this.distance;
  }

  private racingLanes(): readonly (number | undefined)[] {
    return this.layout.rows.map((row) => ('folded' in row || row.step.racing === undefined ? undefined : row.lane));
  }

  /** A line with its lanes, or only the first so many of them. */
  private draw(pieces: readonly Piece[], lanes = this.layout.lanes.length): string {
    const drawn = this.distance === 0 ? [] : this.layout.lanes.slice(0, lanes);
    const guides = drawn.map((_, i) =>
      this.racing.includes(i) ? { at: this.at(i), text: '┃', code: STRONG } : { at: this.at(i), text: '│', code: DIM },
    );
    return drawLine([...guides, ...pieces], this.style.colour);
  }
}

const ASIDE_SIGNS: Readonly<Record<Line['tone'], string>> = { plain: '▸', alarm: '!', finding: MOMENT_SIGNS.found };
const STEP_SIGN = '●';

/** The moment stands only where it is another one than above. */
function marginOf({ time, step }: StoryStep, above: number | undefined): Piece {
  const moment = time === above ? '' : formatMoment(time);
  return { at: 0, text: `${moment.padStart(11)} ${String(step).padStart(6)}`, code: DIM };
}

function signOf({ racing, moment }: StoryStep): string {
  if (racing !== undefined) return RACE_SIGNS[racing];
  return moment === undefined ? STEP_SIGN : MOMENT_SIGNS[moment];
}

function codeOfSign({ racing, moment, preempts }: StoryStep, plain: string): string {
  if (moment === 'found') return RED;
  return racing !== undefined || preempts ? STRONG : plain;
}
