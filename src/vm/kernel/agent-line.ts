/**
 * The line of netvsim's own commands into the guest: ttyS1, at whose other end the agent of {@link ./init.ts} reads. One
 * command at a time; what it prints comes back up to a record with its number and exit code.
 */
import { RECORD_SEPARATOR } from './init.ts';

/** The line discipline of the guest keeps no longer line (Linux, drivers/tty/n_tty.c, N_TTY_BUF_SIZE). */
const LONGEST = 4095;

/** What the guest said: that the agent waits (again: it had ended), or what a command printed and its exit code. */
export type AgentAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly sequence: number; readonly output: string; readonly exit: number };

/** The bytes that make the agent run a command. `undefined`: it cannot be said in a line. */
export function agentLine(sequence: number, command: string): string | undefined {
  const line = `${sequence} ${command}`;
  const isPlain = [...command].every((char) => char >= ' ' && char !== '\u007f');
  return isPlain && Buffer.byteLength(line) < LONGEST ? `${line}\n` : undefined;
}

/** Takes what comes over the line, in pieces of any size, and makes answers of it. */
export class AgentReader {
  private text = '';

  /** What has been printed since the last answer. */
  get pending(): string {
    return this.text;
  }

  /** @returns the answers that end in this piece, in order. */
  push(piece: string): readonly AgentAnswer[] {
    this.text += piece;
    // Most pieces are one byte: whoever looked through the text at each would take a time of its length squared.
    if (!piece.includes('\n')) return [];
    const answers: AgentAnswer[] = [];
    for (;;) {
      const found = RECORD.exec(this.text);
      if (found === null) return answers;
      const output = this.text.slice(0, found.index);
      this.text = this.text.slice(found.index + found[0].length);
      const [, ready, sequence, exit] = found;
      if (ready === undefined) answers.push({ kind: 'done', sequence: Number(sequence), output, exit: Number(exit) });
      else answers.push({ kind: 'ready' });
    }
  }
}

const RECORD = new RegExp(`${RECORD_SEPARATOR}(?:(ready)|(\\d+) (\\d+))\\n`);
