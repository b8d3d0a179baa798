/**
 * An order of events: who ran at each step, `netvsc_probe*7 host.nic1*3 ...`, and what was chosen where the model leaves
 * a value open, `?tie=1`. With what it is an order of, and what is found in it, it can be kept in a file (see
 * schedule-text.ts).
 */

/** One entry: somebody runs so many steps in a row, or a value is chosen. */
export type Choice =
  | { readonly context: string; readonly times: number }
  | { readonly why: string; readonly value: number };

/** In the place of a context: whoever usually goes on. Only where an order is followed leniently. */
export const AS_USUAL = '';

export interface Schedule {
  readonly scenario: string;
  /** The scenario's file, as it was called when the order was written. */
  readonly file: string;
  readonly guest: string;
  /** Fixes that the guest has and that were switched off. */
  readonly without: readonly string[];
  readonly transport: 'direct' | 'bytes';
  /** `any`: timers could fire before what could run. */
  readonly time: 'idle' | 'any';
  /** What decides how the scenario runs; see fingerprint.ts. */
  readonly fingerprint: string;
  /** What is found in this order: the keys of a program's findings. */
  readonly finds: readonly string[];
  readonly choices: readonly Choice[];
}

/** What must be the same where an order is run again. */
export type Identity = Pick<Schedule, 'scenario' | 'guest' | 'without' | 'transport' | 'fingerprint'>;

/** The order itself, in one line. */
export const formatChoices = (choices: readonly Choice[]): string => choices.map(formatChoice).join(' ');

/** The other way round; the first word that is no choice. */
export function parseChoices(text: string): Choice[] | { readonly odd: string } {
  const choices: Choice[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const choice = parseChoice(word);
    if (choice === undefined) return { odd: word };
    choices.push(choice);
  }
  return choices;
}

/** One more step of a context behind an order, or several. */
export function addStep(order: Choice[], context: string, times = 1): void {
  const before = order[order.length - 1];
  if (before !== undefined && 'times' in before && before.context === context) {
    order[order.length - 1] = { context, times: before.times + times };
  } else {
    order.push({ context, times });
  }
}

export const stepsOf = (choices: readonly Choice[]): number =>
  choices.reduce((sum, choice) => sum + ('times' in choice ? choice.times : 0), 0);

function formatChoice(choice: Choice): string {
  if ('why' in choice) return `?${escapeName(choice.why)}=${choice.value}`;
  const { context, times } = choice;
  return times === 1 && context !== AS_USUAL ? escapeName(context) : `${escapeName(context)}*${times}`;
}

function parseChoice(word: string): Choice | undefined {
  const value = /^\?([^?*=]+)=(\d{1,15})$/.exec(word);
  if (value !== null) return { why: unescapeName(value[1] ?? ''), value: Number(value[2]) };
  const run = /^([^?*=]*)(?:\*([1-9]\d{0,14}))?$/.exec(word);
  return run === null ? undefined : { context: unescapeName(run[1] ?? ''), times: Number(run[2] ?? 1) };
}

/** What has a meaning of its own in a schedule or in YAML is written as `%20`. */
function escapeName(name: string): string {
  return name.replace(/[\s%?*=#:"'&!|>@`{}[\],]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unescapeName(word: string): string {
  return word.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
