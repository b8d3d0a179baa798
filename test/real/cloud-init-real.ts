/** The real cloud-init over a tree. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLOUD_INIT_RELEASES, type CloudInitRelease } from '../../src/user/cloud-init-rules.ts';
import { runWithSys } from './namespace.ts';

type Called<T> = { readonly value: T } | { readonly error: string };

export interface CloudInitAnswer {
  /** Of Debian's package: `22.4.2`. */
  readonly version: string;
  /** In which the real functions met the NICs. */
  readonly order: readonly string[];
  readonly found: readonly {
    readonly blacklist: readonly string[];
    readonly byMac: Called<Readonly<Record<string, string>>>;
    readonly candidates: Called<readonly string[]>;
    readonly fallback: Called<string | null>;
  }[];
}

const SCRIPT = readFileSync(join(import.meta.dirname, 'cloud-init.py'), 'utf8');

/** What the real functions give for a tree, once for each blacklist. */
export function askCloudInit(tree: string, blacklists: readonly (readonly string[])[]): CloudInitAnswer {
  const output = runWithSys(['/usr/bin/python3', '-c', SCRIPT], { tree, input: JSON.stringify(blacklists) });
  return JSON.parse(output) as CloudInitAnswer;
}

/** The modelled release whose rules a version has: the newest that is not newer. */
export function releaseOf(version: string): CloudInitRelease {
  const number = (text: string): number => {
    const [major = 0, minor = 0] = text.split('.').map(Number);
    return major * 100 + minor;
  };
  const release = CLOUD_INIT_RELEASES.findLast((one) => number(one.version) <= number(version));
  if (release === undefined) throw new Error(`no release of the model has the rules of cloud-init ${version}`);
  return release;
}
