/** The network stack put together: the interface layer with the parts of the stack that listen to it. */
import type { Simulation } from '../../sim/simulation.ts';
import { announceInterfaces } from './net/announce.ts';
import { etherInput } from './net/ether-input.ts';
import type { InputMethod } from './net/ifnet.ts';
import { Netisr } from './net/netisr.ts';
import { FreebsdNet, type FreebsdNetOptions } from './net.ts';
import { inetHandlers } from './netinet/inet.ts';
import { ipInput } from './netinet/ip-input.ts';
import { IpPath } from './netinet/ip-path.ts';
import { Reassembly } from './netinet/reassembly.ts';
import { interfaceParts } from './vnet/vnet-parts.ts';
import { Vnets } from './vnet/vnets.ts';

export interface Stack {
  readonly net: FreebsdNet;
  readonly vnets: Vnets;
  readonly netisr: Netisr;
  readonly reassembly: Reassembly;
  readonly ip: IpPath;
  /** What an Ethernet interface does with a frame, unless somebody else wants it. */
  readonly etherInput: InputMethod;
}

export function makeStack(sim: Simulation, options: FreebsdNetOptions): Stack {
  const net = new FreebsdNet(sim, options);
  announceInterfaces(net);
  const reassembly = new Reassembly(net);
  inetHandlers(net);
  const vnets = new Vnets(net);
  for (const part of [...interfaceParts(net), reassembly.part]) vnets.preset(part);
  const above = { netisr: new Netisr(net), reassembly, ip: new IpPath(net) };
  return { net, vnets, ...above, etherInput: etherInput(ipInput(net, above)) };
}
