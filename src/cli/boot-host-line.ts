/**
 * The host's line: what can be said behind Ctrl-]. The verbs of the host are those of scenarios, out of the same table;
 * beside them stand a few commands of the session itself.
 */
import type { HostAction } from '../host/action.ts';
import { formatTable } from '../report/table.ts';
import { completions } from '../scenario/completion.ts';
import { readBody } from '../scenario/step.ts';
import { type Element, farFrom, match, parseUsage, splitWords } from '../scenario/usage.ts';
import { VERBS } from '../scenario/verbs.ts';
import type { Names } from '../scenario/vocabulary.ts';
import type { Task } from '../sim/operation.ts';
import type { Guest } from './boot-guest.ts';
import { statusOf } from './boot-status.ts';
import { InputError } from './input-error.ts';
import { writeFile } from './write-file.ts';

/** Whoever shows what is said. */
export interface HostLineView {
  /** Whole lines. */
  say(text: string): void;
  /** What was typed is wrong: `input`. The host does not do it: `host`. One line. */
  complain(text: string, whose: 'input' | 'host'): void;
  quit(): void;
  showEvents(on: boolean): void;
}

export class HostLine {
  readonly guest: Guest;
  readonly view: HostLineView;
  private readonly names: Names;

  constructor(guest: Guest, names: Names, view: HostLineView) {
    this.guest = guest;
    this.names = names;
    this.view = view;
  }

  /** Does what a line says. What comes of it comes while the guest runs. */
  carryOut(text: string): void {
    const words = splitWords(text) ?? [];
    for (const { elements, carryOut } of COMMANDS) {
      const values = match(elements, words);
      if (values === undefined) continue;
      carryOut(this, values);
      return;
    }
    if (HOST_VERBS.every(({ elements }) => match(elements, words) === undefined)) {
      this.view.complain(sayUnknown(text, words), 'input');
      return;
    }
    const body = readBody(text, this.names);
    if ('problem' in body) this.view.complain(body.problem, 'input');
    else if (body.kind === 'host') this.guest.machine.spawn(text, this.act(text, body.action));
  }

  /** The words that the last one of a line can become. */
  complete(text: string): readonly string[] {
    return completions(USAGES, text, this.names);
  }

  private *act(text: string, action: HostAction): Task {
    const refusal = yield* this.guest.machine.host.act(action);
    if (refusal !== undefined) this.view.complain(`${text}: the host refuses: ${refusal.refused}`, 'host');
  }
}

interface Command {
  readonly usage: string;
  readonly meaning: string;
  readonly elements: readonly Element[];
  readonly carryOut: (line: HostLine, values: ReadonlyMap<string, string | true>) => void;
}

const COMMANDS: readonly Command[] = [
  command('help', 'what can be said here', ({ view }) => view.say(HELP)),
  command('status', 'what the host knows of each NIC, its VF and its frames', ({ view, guest }) =>
    view.say(statusOf(guest)),
  ),
  command('events on|off', 'show here what the host does, as netvsim run has it', ({ view }, values) =>
    view.showEvents(values.get('on|off') === 'on'),
  ),
  command('snapshot <file>', 'keep the machine as it is, for netvsim boot --snapshot', (line, values) =>
    saveTo(line, String(values.get('file'))),
  ),
  command('quit', 'end the session', ({ view }) => view.quit()),
];

const HOST_VERBS = VERBS.filter(({ usage }) => usage.startsWith('host '));
const USAGES = [...COMMANDS, ...HOST_VERBS].map(({ elements }) => elements);
const HELP = formatTable(
  ['say', 'and it does'],
  [...COMMANDS, ...HOST_VERBS].map(({ usage, meaning }) => [usage, meaning]),
);

function command(usage: string, meaning: string, carryOut: Command['carryOut']): Command {
  return { usage, meaning, elements: parseUsage(usage), carryOut };
}

function saveTo({ guest, view }: HostLine, file: string): void {
  const saved = guest.machine.save();
  if (!saved.ok) {
    view.complain(`snapshot ${file}: ${saved.error}`, 'host');
    return;
  }
  try {
    writeFile(file, saved.value);
    view.say(`${file}: ${Math.round(saved.value.length / 2 ** 20)} MB\n`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    view.complain(error.message, 'input');
  }
}

/** A line may be no more than begun: as many words of a usage are compared as there are. */
function sayUnknown(text: string, words: readonly string[]): string {
  const all = [...COMMANDS, ...HOST_VERBS].map(({ usage, elements }) => {
    return { usage, far: farFrom(elements.slice(0, words.length), words) };
  });
  const nearest = all.reduce((best, one) => (one.far < best.far ? one : best));
  return `the host does not know "${text}"; nearest: ${nearest.usage}`;
}
