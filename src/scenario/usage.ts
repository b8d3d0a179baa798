/**
 * The little grammar of a verb's usage line, which is at once its help, its pattern and the type of its values:
 * plain words, `<placeholder>`, `up|down` (one of them), `[...]` (may be left out; neighbours come in any order).
 */
import { distance } from 'fastest-levenshtein';
import type { PlaceholderName, PlaceholderValue } from './placeholder.ts';

/** One word of a usage, or a group that may be left out. */
export type Element =
  | { readonly is: 'word'; readonly word: string }
  | { readonly is: 'choice'; readonly key: string; readonly words: readonly string[] }
  | { readonly is: 'value'; readonly name: PlaceholderName }
  | { readonly is: 'group'; readonly elements: readonly Element[] };

// -- what a usage's values are, as types --

type Key<W extends string> = W extends `<${infer N}>` ? N : W extends `${string}|${string}` ? W : never;
type Keys<U extends string> = U extends `${infer W} ${infer R}` ? Key<W> | Keys<R> : Key<U>;
type Flag<O extends string> = O extends `${string} ${string}` | `<${string}` ? never : O;
type OptionalKeys<U extends string> = U extends `${string}[${infer O}]${infer R}`
  ? Keys<O> | Flag<O> | OptionalKeys<R>
  : never;
type RequiredKeys<U extends string> = U extends `${infer A}[${string}]${infer R}` ? Keys<A> | RequiredKeys<R> : Keys<U>;
type Split<C extends string> = C extends `${infer A}|${infer B}` ? A | Split<B> : C;
type ValueOf<K extends string> = K extends `${string}|${string}`
  ? Split<K>
  : K extends PlaceholderName
    ? PlaceholderValue<K>
    : true;

/** What a verb of this usage is given: `{ nic: string; family: string | undefined; 'up|down': 'up' | 'down' }`. */
export type ValuesOf<U extends string> = {
  readonly [K in RequiredKeys<U>]: ValueOf<K>;
} & { readonly [K in OptionalKeys<U>]: ValueOf<K> | undefined };

// -- reading a usage --

export function parseUsage(usage: string): readonly Element[] {
  const elements: Element[] = [];
  for (const part of usage.match(/\[[^\]]*\]|\S+/g) ?? []) {
    if (part.startsWith('[')) elements.push({ is: 'group', elements: parseUsage(part.slice(1, -1)) });
    else if (part.startsWith('<')) elements.push({ is: 'value', name: part.slice(1, -1) as PlaceholderName });
    else if (part.includes('|')) elements.push({ is: 'choice', key: part, words: part.split('|') });
    else elements.push({ is: 'word', word: part });
  }
  return elements;
}

/** The words of a line; a part in double quotes is one word. Undefined when a quote is not closed. */
export function splitWords(line: string): readonly string[] | undefined {
  const words = line.match(/"[^"]*"|[^\s"]+/g) ?? [];
  if ((line.match(/"/g)?.length ?? 0) % 2 !== 0) return undefined;
  return words.map((word) => (word.startsWith('"') ? word.slice(1, -1) : word));
}

/** What stands in the line for each placeholder, choice and lone optional word; undefined when it has another shape. */
export function match(
  elements: readonly Element[],
  words: readonly string[],
): ReadonlyMap<string, string | true> | undefined {
  const found = new Map<string, string | true>();
  const end = matchFrom(elements, words, 0, found);
  return end === words.length ? found : undefined;
}

type Found = Map<string, string | true>;

function matchFrom(elements: readonly Element[], words: readonly string[], from: number, found: Found): number {
  let at = from;
  for (let i = 0; i < elements.length && at !== -1; i++) {
    const element = elements[i] as Element;
    if (element.is !== 'group') {
      at = matchOne(element, words[at], found) ? at + 1 : -1;
      continue;
    }
    const groups = [element];
    for (let next = elements[i + 1]; next?.is === 'group'; next = elements[++i + 1]) groups.push(next);
    at = matchGroups(groups, words, at, found);
  }
  return at;
}

function matchOne(element: Exclude<Element, { is: 'group' }>, word: string | undefined, found: Found): boolean {
  if (word === undefined) return false;
  switch (element.is) {
    case 'word':
      return word === element.word;
    case 'choice':
      if (element.words.includes(word)) found.set(element.key, word);
      return element.words.includes(word);
    case 'value':
      found.set(element.name, word);
      return true;
  }
}

/** Neighbouring groups in any order, each at most once. */
function matchGroups(
  groups: readonly (Element & { is: 'group' })[],
  words: readonly string[],
  from: number,
  found: Found,
): number {
  const left = new Set(groups);
  let at = from;
  for (let taken = true; taken; ) {
    taken = false;
    for (const group of left) {
      const trial: Found = new Map();
      const end = matchFrom(group.elements, words, at, trial);
      if (end === -1) continue;
      for (const [key, value] of trial) found.set(key, value);
      const [only] = group.elements;
      if (group.elements.length === 1 && only?.is === 'word') found.set(only.word, true);
      left.delete(group);
      at = end;
      taken = true;
      break;
    }
  }
  return at;
}

/** How far a line is from a usage, in letters: what stands where a placeholder does counts as right. */
export function farFrom(elements: readonly Element[], words: readonly string[]): number {
  const likely = elements.flatMap((element) =>
    element.is === 'group' ? (mentions(element, words) ? element.elements : []) : [element],
  );
  const text = likely.map((element, i) => {
    switch (element.is) {
      case 'word':
        return element.word;
      case 'choice':
        return element.words.find((word) => word === words[i]) ?? element.words[0] ?? '';
      default:
        return words[i] ?? '<value>';
    }
  });
  return distance(text.join(' '), words.join(' '));
}

function mentions(group: Element & { is: 'group' }, words: readonly string[]): boolean {
  const [first] = group.elements;
  return first?.is === 'word' && words.includes(first.word);
}

/** A line that the usage reads, made of each placeholder's example; `full` takes the optional groups too. */
export function exampleOf(
  elements: readonly Element[],
  example: (name: PlaceholderName) => string,
  full: boolean,
): string {
  const say = (element: Element): string => {
    switch (element.is) {
      case 'word':
        return element.word;
      case 'choice':
        return element.words[0] ?? '';
      case 'value':
        return example(element.name);
      case 'group':
        return full ? exampleOf(element.elements, example, true) : '';
    }
  };
  return elements
    .map(say)
    .filter((word) => word !== '')
    .join(' ');
}
