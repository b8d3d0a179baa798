/**
 * Which cloners a kernel has from the start, and which come with a module. Source: sys/amd64/conf/GENERIC (loop, tuntap,
 * gif, vlan by ether) and sys/modules (if_bridge, if_epair), from memory.
 * What this leaves out: the data of a module that each vnet has for itself; its part of each vnet is there.
 */
import { clonerPart } from '../clone/register.ts';
import type { Module } from '../kern/modules.ts';
import type { FreebsdNet } from '../net.ts';
import type { VnetPart, Vnets } from '../vnet/vnets.ts';
import { type CloneKind, cloneType } from './kinds.ts';

const BUILT_IN: readonly CloneKind[] = ['lo', 'gif', 'tun', 'tap', 'vmnet', 'vlan'];
const IN_MODULES: readonly CloneKind[] = ['bridge', 'epair'];

/** The module that brings interfaces of a kind, if one does (ifmaybeload() of ifconfig). */
export const clonerModuleOf = (kind: string): string => `if_${kind}`;

export const CLONER_MODULES: readonly string[] = IN_MODULES.map(clonerModuleOf);

export const builtInCloners = (net: FreebsdNet): readonly VnetPart[] =>
  BUILT_IN.map((kind) => clonerPart(net, cloneType(net, kind)));

/** `if_bridge`, `if_epair`: what goes with a module takes its interfaces with it. */
export function clonerModules(net: FreebsdNet, vnets: Vnets): readonly Module[] {
  return IN_MODULES.map((kind) => {
    const part = clonerPart(net, cloneType(net, kind));
    return { name: clonerModuleOf(kind), load: () => vnets.register(part), unload: () => vnets.deregister(part) };
  });
}
