/** The kinds of interfaces that can be cloned, each of which is made once a machine. */
import type { CloneType } from '../clone/cloner.ts';
import type { FreebsdNet } from '../net.ts';
import { bridgeType } from './bridge.ts';
import { epairType } from './epair.ts';
import { faithType } from './faith.ts';
import { gifType } from './gif.ts';
import { loType } from './lo.ts';
import { tuntapType } from './tuntap.ts';
import { Vlan } from './vlan.ts';

const KINDS = {
  lo: loType,
  gif: gifType,
  faith: faithType,
  bridge: bridgeType,
  epair: epairType,
  vlan: (net: FreebsdNet) => new Vlan(net).type,
  tun: (net: FreebsdNet) => tuntapType(net, 'tun'),
  tap: (net: FreebsdNet) => tuntapType(net, 'tap'),
  vmnet: (net: FreebsdNet) => tuntapType(net, 'vmnet'),
} as const satisfies Readonly<Record<string, (net: FreebsdNet) => CloneType>>;

export type CloneKind = keyof typeof KINDS;

export const cloneType = (net: FreebsdNet, kind: CloneKind): CloneType => KINDS[kind](net);
