/** Scripts that the stage brings along, and how they get into the guest by the line of its agent. */

/** Where they lie there. */
export const FOLDER = '/run/netvsim';

/** Bytes of a script that a line of the agent has room for, in base 64. */
const PIECE = 2400;

/** Commands that write a script. The agent takes lines of plain characters, and not very long ones. */
export function writeScript(path: string, text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const lines = [`mkdir -p ${FOLDER}; : >${path}; chmod +x ${path}`];
  for (let at = 0; at < bytes.length; at += PIECE) {
    lines.push(`echo ${bytes.toString('base64', at, at + PIECE)} | base64 -d >>${path}`);
  }
  return lines;
}
