/** Virtual time and spans of it: a whole number of nanoseconds, below 2^53 (104 days). */
export type Nanoseconds = number;

export const us = (n: number): Nanoseconds => Math.round(n * 1_000);
export const ms = (n: number): Nanoseconds => Math.round(n * 1_000_000);
export const seconds = (n: number): Nanoseconds => Math.round(n * 1_000_000_000);

const UNITS: Readonly<Record<string, Nanoseconds>> = {
  ns: 1,
  us: 1_000,
  ms: 1_000_000,
  s: 1_000_000_000,
  min: 60_000_000_000,
};

/** Longest span that a scenario may name: below 2^53 with room to add. */
const LONGEST = seconds(30 * 86_400);

/** `20ms`, `1.5s`, `64s`, `2min`, `0`; undefined when the text is no span of time or too long a one. */
export function parseDuration(text: string): Nanoseconds | undefined {
  if (text === '0') return 0;
  const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s|min)$/.exec(text);
  if (match === null) return undefined;
  const span = Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN));
  return span <= LONGEST ? span : undefined;
}

/** A span for people: `64 s`, `65.4 s`, `100 ms`, `71.3 us`, `0`. */
export function formatDuration(span: Nanoseconds): string {
  if (span === 0) return '0';
  const [divisor, unit] = span >= 1e9 ? [1e9, 's'] : span >= 1e6 ? [1e6, 'ms'] : span >= 1e3 ? [1e3, 'us'] : [1, 'ns'];
  return `${Number((span / Number(divisor)).toPrecision(4))} ${unit}`;
}

/** A moment as seconds with six decimals, as a kernel log has it: `8160.911509`. */
export function formatMoment(at: Nanoseconds): string {
  return `${Math.floor(at / 1e9)}.${String(Math.floor((at % 1e9) / 1e3)).padStart(6, '0')}`;
}
