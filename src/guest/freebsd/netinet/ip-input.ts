/**
 * ip_input(): an IPv4 packet that an interface has taken in goes by the firewall, if there is one, waits for the rest if it
 * is a fragment, and is IGMP's if a router asks by it. Source: netinet/ip_input.c (ip_input()), igmp.c (igmp_input()),
 * net/netisr.c (netisr_dispatch()).
 * What this leaves out: for whom a packet is, and all else that is above.
 */
import { ETHERNET_HEADER_SIZE } from '../../../wire/ethernet.ts';
import { IGMP_PROTOCOL, isIgmpQuery } from '../../../wire/igmp.ts';
import { isIpv4Fragment, parseIpv4 } from '../../../wire/ipv4.ts';
import type { InputMethod } from '../net/ifnet.ts';
import type { Netisr } from '../net/netisr.ts';
import type { FreebsdNet } from '../net.ts';
import { igmpQuery } from './in-multi.ts';
import type { IpPath } from './ip-path.ts';
import type { Reassembly } from './reassembly.ts';

interface Above {
  readonly netisr: Netisr;
  readonly reassembly: Reassembly;
  readonly ip: IpPath;
}

/** In the epoch section of whoever hands it up, or in that of the thread that it waits for. */
export function ipInput(net: FreebsdNet, { netisr, reassembly, ip }: Above): InputMethod {
  const input: InputMethod = function* (ifp, frame) {
    if (ip.isFiltered) yield* ip.input({});
    const bytes = frame.subarray(ETHERNET_HEADER_SIZE);
    if (isIpv4Fragment(bytes)) return yield* reassembly.add(ifp);
    const packet = parseIpv4(bytes);
    if (packet?.protocol === IGMP_PROTOCOL && isIgmpQuery(packet.payload)) yield* igmpQuery(net, ifp);
  };
  return function* (ifp, frame) {
    if (netisr.isDeferring) yield* netisr.defer(ifp, { input: (found) => input(found, frame) });
    else yield* input(ifp, frame);
  };
}
