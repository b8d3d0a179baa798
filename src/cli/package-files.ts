/** What lies in the installed package beside the program: its version and the scenarios that it ships. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../scenario/problem.ts';
import { InputError } from './input-error.ts';
import { readText } from './read-file.ts';

export interface ShippedScenario {
  /** The file's name without `.yaml`: what `netvsim run` takes as well. */
  readonly name: string;
  readonly file: string;
}

/** The package's folder, found from this file upwards: it is the same in a checkout and where it is installed. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new InputError('the netvsim package is incomplete: it has no package.json');
    folder = above;
  }
  return folder;
}

export function version(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

export function shippedScenarios(): readonly ShippedScenario[] {
  return ['scenarios', 'races'].flatMap((room) => {
    const folder = join(packageRoot(), 'fixtures', room);
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
    return files.sort().map((file) => ({ name: basename(file, '.yaml'), file: join(folder, file) }));
  });
}

/** A path as it is, or the file of a shipped scenario that is called by its name. */
export function scenarioFile(given: string): string {
  if (existsSync(given) || isPath(given)) return given;
  return shippedScenarios().find(({ name }) => name === given)?.file ?? given;
}

/** The text of what {@link scenarioFile} has found, or which name was meant. */
export function readScenario(file: string): string {
  if (isPath(file) || existsSync(file)) return readText(file);
  const shipped = shippedScenarios().map(({ name }) => name);
  const near = nearest(file, shipped);
  const hint = near.startsWith('; nearest') ? near : '; netvsim list scenarios shows what is shipped';
  throw new InputError(`${file}: there is no such file, and no such scenario is shipped${hint}`);
}

/** Empty, or with what no name of a shipped scenario has in it. */
const isPath = (given: string): boolean => given === '' || /[/.]/.test(given);
