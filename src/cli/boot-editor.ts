/** The line editor behind Ctrl-]: history, completion and cursor keys are node's, fed with the keys that are its own. */
import { createInterface, type Interface } from 'node:readline';
import { PassThrough } from 'node:stream';

const PROMPT = 'netvsim> ';
/** Back to the beginning of the line, and nothing stands in it. ECMA-48, EL. */
const CLEAR_LINE = '\r\u001b[K';

export interface EditorOptions {
  readonly output: NodeJS.WriteStream;
  readonly complete: (line: string) => readonly string[];
  /** A whole line was typed. */
  readonly typed: (line: string) => void;
  /** Ctrl-C, or Ctrl-D in an empty line. */
  readonly left: () => void;
}

export class Editor {
  private readonly options: EditorOptions;
  private history: string[] = [];
  private open: { readonly input: PassThrough; readonly reader: Interface } | undefined;

  constructor(options: EditorOptions) {
    this.options = options;
  }

  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** Nothing is typed in its line. */
  get isEmpty(): boolean {
    return this.open === undefined || this.open.reader.line === '';
  }

  enter(): void {
    const { output, complete, typed, left } = this.options;
    const input = new PassThrough();
    const reader = createInterface({
      input,
      output,
      terminal: true,
      prompt: PROMPT,
      history: this.history,
      completer: (line: string) => [offer(complete(line)), line.split(/\s/).at(-1) ?? ''],
    });
    reader.on('history', (history) => {
      this.history = history;
    });
    reader.on('line', typed);
    reader.on('SIGINT', left);
    // Whoever stops the program does it with the guest's terminal in raw mode.
    reader.on('SIGTSTP', () => undefined);
    reader.on('close', () => {
      if (this.open?.reader === reader) left();
    });
    this.open = { input, reader };
    reader.prompt();
  }

  leave(): void {
    const { open } = this;
    this.open = undefined;
    open?.reader.close();
    if (open !== undefined) this.options.output.write(CLEAR_LINE);
  }

  /** Keys that were typed. */
  feed(keys: Uint8Array): void {
    this.open?.input.write(keys);
  }

  /** The next line, behind what the last one has brought. */
  prompt(): void {
    this.open?.reader.prompt();
  }

  /** Whole lines, above the one that is being typed. */
  say(text: string): void {
    const lines = text.replace(/\r?\n$/, '').replaceAll(/\r?\n/g, '\r\n');
    this.options.output.write(`${CLEAR_LINE}${lines}\r\n`);
    this.open?.reader.prompt(true);
  }
}

/** The only word that there is needs no more than a space behind it. */
const offer = (words: readonly string[]): string[] => (words.length === 1 ? [`${words[0]} `] : [...words]);
