/** Whose code was running when something was thrown: read from the stack that the error brings along. */

export interface Frame {
  /** The function, as far as it has a name. */
  readonly what: string;
  /** Path or address of the file; `node:` and a name for Node's own. */
  readonly file: string;
  readonly line: number;
}

/** `at notify (/home/me/driver.ts:12:5)` or `at /home/me/driver.ts:12:5`; what has no place, such as Array.map, is left out. */
const FRAME = /^\s*at (?:(.*) \()?(.+):(\d+):\d+\)?$/;

/** Innermost first. */
export function framesOf(error: unknown): readonly Frame[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return [];
  return error.stack.split('\n').flatMap((text) => {
    const found = FRAME.exec(text);
    return found === null ? [] : [{ what: found[1] ?? '', file: found[2] ?? '', line: Number(found[3]) }];
  });
}

/** The folder of netvsim's own code, written as stacks write it. */
const OWN_FOLDER = (framesOf(new Error('here'))[0]?.file ?? '').replace(/explore[/\\]blame\.[jt]s$/, '');

export const isOwn = ({ file }: Frame): boolean => OWN_FOLDER !== '' && file.startsWith(OWN_FOLDER);
export const isOfNode = ({ file }: Frame): boolean => file.startsWith('node:');

/** Whether it is code of the file `explore/NAME`: where driver code is called from. */
export const isIn = ({ file }: Frame, name: string): boolean =>
  file.startsWith(`${OWN_FOLDER}explore`) && file.slice(OWN_FOLDER.length + 'explore/'.length).startsWith(`${name}.`);

/** `notify (early-up.ts:12)`. The folder is left out: what is found is to be the same on every machine. */
export function describeFrame({ what, file, line }: Frame): string {
  const place = `${file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)}:${line}`;
  return what === '' ? place : `${what} (${place})`;
}
