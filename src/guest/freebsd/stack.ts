/** The network stack put together: the interface layer with the parts of the stack that listen to it. */
import type { Simulation } from '../../sim/simulation.ts';
import { announceInterfaces } from './announce.ts';
import { inetHandlers } from './inet.ts';
import { IpPath } from './ip-path.ts';
import { FreebsdNet, type FreebsdNetOptions } from './net.ts';
import { Netisr } from './netisr.ts';
import { Reassembly } from './reassembly.ts';
import { interfaceParts } from './vnet-parts.ts';
import { Vnets } from './vnets.ts';

export interface Stack {
  readonly net: FreebsdNet;
  readonly vnets: Vnets;
  readonly netisr: Netisr;
  readonly reassembly: Reassembly;
  readonly ip: IpPath;
}

export function makeStack(sim: Simulation, options: FreebsdNetOptions): Stack {
  const net = new FreebsdNet(sim, options);
  announceInterfaces(net);
  const reassembly = new Reassembly(net);
  inetHandlers(net);
  const vnets = new Vnets(net);
  for (const part of [...interfaceParts(net), reassembly.part]) vnets.preset(part);
  return { net, vnets, netisr: new Netisr(net), reassembly, ip: new IpPath(net) };
}
