import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { type FreebsdNet, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';

/**
 * open(2) of /dev/tun0 and its kin. ENOENT: there is no such device; ENXIO: it goes; EBUSY: somebody has it open.
 * What this leaves out: that devices have one name space for all vnets.
 */
export function* openDevice(net: FreebsdNet, vnet: Vnet, name: string): Task<Errno | undefined> {
  const ifp = yield* vnet.interfaces.find(name);
  const cloner = ifp?.homeVnet?.cloners.now.find(({ type }) => type.name === ifp.dname);
  const open = cloner?.type.open;
  const errno = ifp === undefined || open === undefined ? 'ENOENT' : yield* open(ifp);
  return errno === undefined ? undefined : refuse(net, '', `open /dev/${name}`, errno);
}
