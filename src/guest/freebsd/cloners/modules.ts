/**
 * Which cloners a kernel has from the start, and which come with a module. Source: sys/amd64/conf/GENERIC (loop, tuntap,
 * gif, vlan by ether) and sys/modules (if_bridge, if_epair), from memory.
 */
import { clonerPart } from '../clone/register.ts';
import type { Module } from '../modules.ts';
import type { FreebsdNet } from '../net.ts';
import type { VnetPart, Vnets } from '../vnets.ts';
import { type CloneKind, cloneType } from './kinds.ts';

const BUILT_IN: readonly CloneKind[] = ['lo', 'gif', 'tun', 'tap', 'vmnet', 'vlan'];
const IN_MODULES: readonly CloneKind[] = ['bridge', 'epair'];

export const builtInCloners = (net: FreebsdNet): readonly VnetPart[] =>
  BUILT_IN.map((kind) => clonerPart(net, cloneType(net, kind)));

/** `if_bridge`, `if_epair`: what goes with a module takes its interfaces with it. */
export function clonerModules(net: FreebsdNet, vnets: Vnets): readonly Module[] {
  return IN_MODULES.map((kind) => {
    const part = clonerPart(net, cloneType(net, kind));
    return { name: `if_${kind}`, load: () => vnets.register(part), unload: () => vnets.deregister(part) };
  });
}
