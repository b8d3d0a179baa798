/** What a search of a scenario's orders found, in words: the verdict first, and what it rests on. */
import type { Exploration, ExploreOptions, Found } from '../explore/explore.ts';
import type { Minimised } from '../explore/minimise.ts';
import type { Schedule } from '../explore/schedule.ts';
import type { Step } from '../scenario/step.ts';

/** What was searched, and how. */
export interface SearchHeader extends Pick<Schedule, 'scenario' | 'guest' | 'without' | 'transport' | 'time'> {
  /** Where its orders were searched, in words: see {@link describeWindow}. */
  readonly window: string;
  readonly options: ExploreOptions;
  /** It was ended before it came to its end. */
  readonly interrupted: boolean;
}

/** Lines for people. No time that it took stands in them: the same search gives the same text on every machine. */
export function formatExploration(header: SearchHeader, exploration: Exploration): string {
  const lines = [
    ...sayVerdict(header, exploration),
    `  ${header.scenario} (${sayMachine(header)})`,
    `  orders searched: ${header.window}`,
    ...sayCoverage(header, exploration).map((line) => `  ${line}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** `linux-6.12 without rtnl-before-rndis, direct` */
export function sayMachine({
  guest,
  without,
  transport,
  time,
}: Pick<Schedule, 'guest' | 'without' | 'transport' | 'time'>): string {
  const kernel = without.length === 0 ? guest : `${guest} without ${without.join(' and ')}`;
  return `${kernel}, ${transport}${time === 'any' ? ', timers at any time' : ''}`;
}

/** The verdict: of what fails a line each. */
export function sayVerdict({ options, interrupted }: SearchHeader, exploration: Exploration): readonly string[] {
  const { verdict, found, sampled, searched, departing, limit } = exploration;
  const tried = sayCount(sampled + (searched?.orders ?? 0) + (departing?.orders ?? 0), 'order');
  if (verdict === 'fails') return found.map((each) => `FAILS: ${each.key} in ${sayHowOften(each, exploration)}`);
  if (verdict === 'interrupted' || interrupted) return [`INTERRUPTED: nothing was found in ${tried}`];
  if (limit !== undefined) return [`NO VERDICT: a run was given up: ${limit}`];
  if (verdict === 'limit') return [`NO VERDICT: nothing was found in ${tried}, and there are more`];
  if (verdict === 'all') {
    const orders = searched?.orders ?? 0;
    return [`holds in all orders: ${sayCount(orders, 'inequivalent order')}${sayNaive(exploration)}`];
  }
  if (options.strategy !== 'bounded') return [`holds in ${sayCount(sampled, 'sampled order')}`];
  return [
    `holds in all ${inThousands(departing?.orders ?? 0)} orders that ${sayDepartures(departing?.departures ?? 0)}`,
  ];
}

/** `12 of 18 orders (104 of 201 sampled)` */
export function sayHowOften(found: Found, { sampled, searched, departing }: Exploration): string {
  const parts: string[] = [];
  if (searched !== undefined) {
    const kind = searched.whole ? 'orders' : 'searched orders';
    parts.push(sayShare(found.searchedOrders, searched.orders, kind));
  }
  parts.push(sayShare(found.sampledOrders, sampled, parts.length === 0 ? 'sampled orders' : 'sampled'));
  if (departing !== undefined) {
    parts.push(sayShare(found.departingOrders, departing.orders, `that ${sayDepartures(departing.departures)}`));
  }
  const [first = '', ...others] = parts;
  return others.length === 0 ? first : `${first} (${others.join(', ')})`;
}

/** A finding with the smallest order that shows it: its story, and the command that runs it. */
export function formatFinding(
  found: Found,
  { preemptions, text }: Minimised,
  exploration: Exploration,
  { lanes, again }: { readonly lanes: string; readonly again: string },
): string {
  const { key, number, by } = found;
  const first = number === 0 ? by : `order ${inThousands(number)}, by ${by}`;
  const head = [
    `${key}: ${text}`,
    `  in ${sayHowOften(found, exploration)}; first in ${first}`,
    `  the smallest order that was found to have it has ${sayCount(preemptions, 'preemption')}:`,
  ];
  return `${head.join('\n')}\n\n${lanes}\nrun it again: ${again}\n`;
}

/** A finding that every order has. `again` is the command that runs any of them. */
export function formatCertainFinding({ key, text }: Found, again: string): string {
  return `${key}: ${text}\n  in every order that was tried, so any shows it\nrun it again: ${again}\n`;
}

/** What became of an order that was kept: whether it still finds what it found. */
export function formatReplay(
  { scenario, guest, without, transport, time, file, finds }: Omit<Schedule, 'choices' | 'fingerprint'>,
  found: readonly { readonly key: string; readonly text: string }[],
  limit: string | undefined,
): string {
  const isExpected = (key: string): boolean => finds.some((each) => isSame(each, key));
  const lines = found.map(({ key, text }) => `${isExpected(key) ? 'reproduced' : 'FAILED'}: ${key}: ${text}`);
  // A run that was given up may not have come to where it would be found.
  const gone = limit === undefined ? finds.filter((each) => !found.some(({ key }) => isSame(each, key))) : [];
  lines.push(...gone.map((key) => `${found.length === 0 ? 'holds now' : 'not reproduced'}: ${key}`));
  if (limit !== undefined) lines.push(`NO VERDICT: the run was given up: ${limit}`);
  if (lines.length === 0) lines.push('holds, as it did');
  const about = `  ${scenario} (${sayMachine({ guest, without, transport, time })}, order of ${file})`;
  return [...lines, about].map((line) => `${line}\n`).join('');
}

/** Steps of a scenario have moved when lines above them were added; what they say is the same. */
const isSame = (one: string, other: string): boolean => withoutLine(one) === withoutLine(other);
export const withoutLine = (key: string): string => key.replace(/^line \d+: /, '');

/** Whether no order was tried in which it does not come. */
export function isInEveryOrder(found: Found, { sampled, searched, departing }: Exploration): boolean {
  return (
    found.sampledOrders === sampled &&
    found.searchedOrders === (searched?.orders ?? 0) &&
    found.departingOrders === (departing?.orders ?? 0)
  );
}

const SAMPLERS = { portfolio: 'pos, pct and random', random: 'random', pct: 'pct', pos: 'pos' } as const;

/** What was gone through, with the limits that it came to. */
function sayCoverage({ options, interrupted }: SearchHeader, exploration: Exploration): readonly string[] {
  const { strategy, seed, ordersMax } = options;
  const { sampled, searched, departing, steps } = exploration;
  const by = strategy in SAMPLERS ? SAMPLERS[strategy as keyof typeof SAMPLERS] : undefined;
  const samples = by === undefined || sampled < 2 ? '' : ` and ${inThousands(sampled - 1)} by ${by} (seed ${seed})`;
  const limit = interrupted ? 'until it was interrupted' : `the limit is ${inThousands(ordersMax)}: --max-orders`;
  const covered = [sampled === 0 ? 'no order to its end' : `the usual order${samples}`];
  if (searched?.whole === true) covered.push(`all ${inThousands(searched.orders)} inequivalent orders`);
  else if (searched !== undefined) {
    covered.push(`${sayCount(searched.orders, 'inequivalent order')}${sayNaive(exploration)}, ${limit}`);
  }
  if (departing !== undefined) {
    const { orders, departures, whole } = departing;
    const those = `${inThousands(orders)} orders that ${sayDepartures(departures)}`;
    covered.push(whole ? `all ${those}` : `${those}, ${limit}`);
  }
  const rest = interrupted ? ['interrupted before the end'] : [];
  return [`covered: ${covered.join('; ')}; ${inThousands(steps)} steps`, ...sayMissed(exploration), ...rest];
}

/** What is in some order is in an equivalent one of the search of all orders, or that search leaves out too many. */
function sayMissed({ found, searched }: Exploration): readonly string[] {
  if (searched?.whole !== true) return [];
  const missed = found.filter(({ searchedOrders }) => searchedOrders === 0).map(({ key }) => key);
  if (missed.length === 0) return [];
  return [`a mistake in netvsim: the search of all orders left out those with ${missed.join(', ')}: please report it`];
}

/** `from line 13 to line 14`, by the lines of the file that say so. */
export function describeWindow(steps: readonly Step[]): string {
  const spans: string[] = [];
  let from: number | undefined;
  for (const { line, body } of steps) {
    if (body.kind !== 'orders') continue;
    if (body.all) from ??= line;
    else if (from !== undefined) {
      spans.push(`from line ${from} to line ${line}`);
      from = undefined;
    }
  }
  if (from !== undefined) spans.push(`from line ${from} on`);
  return spans.length === 0 ? 'from the first step on' : spans.join(', ');
}

function sayShare(orders: number, of: number, kind: string): string {
  if (of === 1 && orders === 1 && kind === 'orders') return 'the only order';
  return orders === of ? `all ${inThousands(of)} ${kind}` : `${inThousands(orders)} of ${inThousands(of)} ${kind}`;
}

/** Below that the number itself can be read. */
const LARGE = 6;

/** About how many orders there are when equivalent ones are counted each, where that is known. */
function sayNaive({ naive, searched }: Exploration): string {
  if (naive === undefined || naive < Math.log10(searched?.orders ?? 1)) return '';
  const about = naive >= LARGE ? `10^${Math.round(naive)}` : inThousands(Number((10 ** naive).toPrecision(2)));
  return ` (about ${about} if each is counted)`;
}

const sayDepartures = (departures: number): string =>
  `depart at most ${departures === 1 ? 'once' : `${departures} times`} from the usual one`;

const sayCount = (count: number, what: string): string => `${inThousands(count)} ${what}${count === 1 ? '' : 's'}`;

/** `1,234`, wherever it is read. */
export const inThousands = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');
