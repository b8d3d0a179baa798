/** Text put together from pieces that stand where they belong, for reports that are more than lines of words. */
import { paint } from './timeline.ts';

/** A piece of text, and the column in which it begins. */
export interface Piece {
  readonly at: number;
  readonly text: string;
  /** As for {@link paint}. */
  readonly code: string;
}

interface Cell {
  readonly text: string;
  readonly code: string;
}

/** One line; later pieces lie on earlier ones, and words keep a blank between themselves and what they lie on. */
export function drawLine(pieces: readonly Piece[], colour: boolean): string {
  const cells: (Cell | undefined)[] = [];
  for (const { at, text, code } of pieces) {
    const characters = [...text];
    characters.forEach((character, i) => {
      cells[at + i] = { text: character, code };
    });
    if (characters.length > 1) cells[at + characters.length] = undefined;
  }
  return paintCells(cells, colour);
}

/** What is next to each other and of one colour is painted at once. */
function paintCells(cells: readonly (Cell | undefined)[], colour: boolean): string {
  let line = '';
  let run = '';
  let code = '0';
  // Not every index is there.
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? { text: ' ', code };
    if (cell.code !== code) {
      line += paint(run, code, colour);
      run = '';
      code = cell.code;
    }
    run += cell.text;
  }
  return line + paint(run.trimEnd(), code, colour);
}

/** Narrower than that nothing is wrapped to. */
const NARROWEST = 16;

/** Wrapped at blanks, and a word that is too long for a line within it; further lines are indented. */
export function wrapText(text: string, width: number, indent: number): readonly string[] {
  const room = Math.max(NARROWEST, indent + NARROWEST / 2, width);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const blank = rest.lastIndexOf(' ', room);
    const cut = rest.slice(0, blank).trim() === '' ? room : blank;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = `${' '.repeat(indent)}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}
