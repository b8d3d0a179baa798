/** What can come next in a line that is being typed, out of the usages that read what stands there already. */
import { PLACEHOLDERS, type Placeholder } from './placeholder.ts';
import { type Element, splitWords } from './usage.ts';
import type { Names } from './vocabulary.ts';

type Single = Exclude<Element, { readonly is: 'group' }>;
type Group = Extract<Element, { readonly is: 'group' }>;

/** @returns the words that the last word of the line, or an empty one behind it, can become, in the usages' order. */
export function completions(usages: readonly (readonly Element[])[], line: string, names: Names): readonly string[] {
  const words = splitWords(line) ?? [];
  const begun = /\s$/.test(line) ? '' : (words.at(-1) ?? '');
  const before = begun === '' ? words : words.slice(0, -1);
  const next = usages.flatMap((elements) => nextIn(elements, before)).flatMap((element) => wordsOf(element, names));
  return [...new Set(next)].filter((word) => word.startsWith(begun));
}

function nextIn(elements: readonly Element[], words: readonly string[]): readonly Single[] {
  const next: Single[] = [];
  walk(elements, 0, { words, offer: (element) => next.push(element) }, () => undefined);
  return next;
}

interface Typed {
  readonly words: readonly string[];
  /** Takes an element that can stand behind all words. */
  readonly offer: (element: Single) => void;
}

/** Goes every way on which the elements read the words from `at` on; `then` goes on behind the last element. */
function walk(elements: readonly Element[], at: number, typed: Typed, then: (at: number) => void): void {
  const [first, ...rest] = elements;
  if (first === undefined) then(at);
  else if (first.is === 'group') {
    const end = elements.findIndex((element) => element.is !== 'group');
    const groups = elements.slice(0, end === -1 ? elements.length : end) as readonly Group[];
    walkGroups(groups, at, typed, (behind) => walk(elements.slice(groups.length), behind, typed, then));
  } else if (at === typed.words.length) typed.offer(first);
  else if (reads(first, typed.words[at] ?? '')) walk(rest, at + 1, typed, then);
}

/** Neighbouring groups stand in any order, each at most once. */
function walkGroups(groups: readonly Group[], at: number, typed: Typed, then: (at: number) => void): void {
  for (const group of groups) {
    const others = groups.filter((other) => other !== group);
    walk(group.elements, at, typed, (behind) => walkGroups(others, behind, typed, then));
  }
  then(at);
}

function reads(element: Single, word: string): boolean {
  if (element.is === 'word') return word === element.word;
  return element.is === 'value' || element.words.includes(word);
}

function wordsOf(element: Single, names: Names): readonly string[] {
  if (element.is === 'word') return [element.word];
  if (element.is === 'choice') return element.words;
  const placeholder: Placeholder<unknown> | undefined = PLACEHOLDERS[element.name];
  return placeholder?.words?.(names) ?? [];
}
