/** The real udevadm over a tree, with the rule that the model has as data. */
import { AZURE_UNMANAGED_SRIOV } from '../../src/user/udev-rules.ts';
import { runWithSys } from './namespace.ts';

const { flags, drivers, sets } = AZURE_UNMANAGED_SRIOV;
const RULES = [
  'SUBSYSTEM=="net"',
  'ACTION!="remove"',
  `DRIVERS=="${drivers}"`,
  `ATTR{flags}=="${flags}"`,
  ...Object.entries(sets).map(([name, value]) => `ENV{${name}}="${value}"`),
].join(', ');

/** The properties that `udevadm test --action=add` comes to for an interface of the tree. */
export function udevProperties(tree: string, ifname: string): ReadonlyMap<string, string> {
  const command = ['udevadm', 'test', '--action=add', `/class/net/${ifname}`];
  const output = runWithSys(command, { tree, rules: `${RULES}\n` });
  return new Map([...output.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

/** What the rule has set of the properties that it can set. */
export const marksIn = (properties: ReadonlyMap<string, string>): Readonly<Record<string, string>> =>
  Object.fromEntries([...properties].filter(([name]) => name in sets));
