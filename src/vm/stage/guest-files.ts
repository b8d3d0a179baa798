/** Scripts that the stage brings along, and how they get into the guest by the line of its agent. */

/** Where they lie there. */
export const FOLDER = '/run/netvsim';

/** A command that writes a script. The agent takes lines of plain characters, and a script has others. */
export const writeScript = (path: string, text: string): string =>
  `mkdir -p ${FOLDER}; echo ${Buffer.from(text).toString('base64')} | base64 -d >${path}; chmod +x ${path}`;
