/** The kinds of interfaces that can be cloned, each of which is made once a machine. */
import type { CloneType } from '../clone/cloner.ts';
import type { FreebsdNet } from '../net.ts';
import { bridgeType } from './bridge.ts';
import { epairType } from './epair.ts';
import { faithType } from './faith.ts';
import { gifType } from './gif.ts';
import { loType } from './lo.ts';
import { Tuntap } from './tuntap.ts';
import { Vlan } from './vlan.ts';

const KINDS = {
  lo: loType,
  gif: gifType,
  faith: faithType,
  bridge: bridgeType,
  epair: epairType,
  vlan: (net: FreebsdNet) => new Vlan(net).type,
  tun: (net: FreebsdNet) => new Tuntap(net, 'tun').type,
  tap: (net: FreebsdNet) => new Tuntap(net, 'tap').type,
  vmnet: (net: FreebsdNet) => new Tuntap(net, 'vmnet').type,
} as const satisfies Readonly<Record<string, (net: FreebsdNet) => CloneType>>;

export type CloneKind = keyof typeof KINDS;

export const cloneType = (net: FreebsdNet, kind: CloneKind): CloneType => KINDS[kind](net);
