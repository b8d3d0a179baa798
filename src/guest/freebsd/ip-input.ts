/**
 * ip_input(): an IPv4 packet that an interface has taken in goes by the firewall, if there is one, and waits for the rest
 * if it is a fragment. Source: netinet/ip_input.c (ip_input()), net/netisr.c (netisr_dispatch()).
 * What this leaves out: for whom a packet is, and all that is above.
 */
import { ETHERNET_HEADER_SIZE } from '../../wire/ethernet.ts';
import { isIpv4Fragment } from '../../wire/ipv4.ts';
import type { InputMethod } from './ifnet.ts';
import type { IpPath } from './ip-path.ts';
import type { Netisr } from './netisr.ts';
import type { Reassembly } from './reassembly.ts';

interface Above {
  readonly netisr: Netisr;
  readonly reassembly: Reassembly;
  readonly ip: IpPath;
}

/** In the epoch section of whoever hands it up, or in that of the thread that it waits for. */
export function ipInput({ netisr, reassembly, ip }: Above): InputMethod {
  const input: InputMethod = function* (ifp, frame) {
    if (ip.isFiltered) yield* ip.input({});
    if (isIpv4Fragment(frame.subarray(ETHERNET_HEADER_SIZE))) yield* reassembly.add(ifp);
  };
  return function* (ifp, frame) {
    if (netisr.isDeferring) yield* netisr.defer(ifp, { input: (found) => input(found, frame) });
    else yield* input(ifp, frame);
  };
}
