/** What the interface layer does for each vnet that comes and goes. Source: net/if.c (vnet_if_uninit(), vnet_if_return()). */

import { returnIfnets } from '../net/vmove.ts';
import { type FreebsdNet, kernelAssert } from '../net.ts';
import type { VnetPart } from './vnets.ts';

/** vnet_if_return() is the last constructor's counterpart: it runs before all else ends. */
export function interfaceParts(net: FreebsdNet): readonly VnetPart[] {
  return [
    {
      name: 'vnet_if_uninit',
      subsystem: 'INIT_IF',
      *destruct(vnet) {
        kernelAssert(net, vnet.interfaces.now.length === 0, '', `vnet_if_uninit: interfaces of ${vnet.name} are left`);
      },
    },
    {
      name: 'vnet_if_return',
      subsystem: 'VNET_DONE',
      destruct: (vnet) => returnIfnets(net, vnet),
      census: (vnet) => ({ tasks: vnet.interfaces.now.filter((ifp) => net.taskqueue.isQueued(ifp.linkTask)).length }),
    },
  ];
}
