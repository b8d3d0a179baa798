/**
 * A rename is a departure and an arrival that are none; whoever listens must look at a flag to tell. Source: net/if.c
 * (ifhwioctl() for SIOCSIFNAME, if_rename()); reference A.12.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { enterState, type FreebsdNet, fixed, refuse } from '../net.ts';
import { changeFlags } from './flags.ts';
import type { Ifnet } from './ifnet.ts';

/** IFNAMSIZ with its NUL (net/if.h). */
export const NAME_BYTES_MAX = 15;

export const isTooLong = (name: string): boolean => new TextEncoder().encode(name).length > NAME_BYTES_MAX;

/** SIOCSIFNAME. Nothing holds the name between the look whether it is taken and the change, but for a proposal of seed 002. */
export function* renameIfnet(net: FreebsdNet, ifp: Ifnet, to: string): Task<Errno | undefined> {
  const locks = fixed(net, 'naming-lock');
  if (locks) yield* net.namingLock.lock();
  const errno = yield* rename(net, ifp, to);
  if (locks) yield* net.namingLock.unlock();
  return errno;
}

function* rename(net: FreebsdNet, ifp: Ifnet, to: string): Task<Errno | undefined> {
  if (isTooLong(to)) return refuse(net, ifp.dev, 'SIOCSIFNAME', 'ENAMETOOLONG');
  if (to === '') return refuse(net, ifp.dev, 'SIOCSIFNAME', 'EINVAL');
  const from = ifp.name;
  if (to === from) return undefined;
  const vnet = yield* ifp.vnet.get();
  if ((yield* vnet.interfaces.find(to)) !== undefined) return refuse(net, ifp.dev, 'SIOCSIFNAME', 'EEXIST');
  yield* changeFlags(net, ifp, { set: IFF.RENAMING });
  enterState(net, ifp, 'renaming');
  yield* net.events.raise('ifnet_departure_event', ifp);
  net.sim.trace.emit({ kind: 'log', level: 'notice', dev: ifp.dev, text: `${from}: changing name to '${to}'` });
  yield* ifp.addressLock.lock();
  const taken = !(yield* vnet.interfaces.rename(ifp, to, fixed(net, 'atomic-names')));
  yield* ifp.addressLock.unlock();
  if (!taken) net.sim.trace.emit({ kind: 'netdev.renamed', dev: ifp.dev, from, to });
  yield* net.events.raise('ifnet_arrival_event', ifp);
  yield* changeFlags(net, ifp, { clear: IFF.RENAMING });
  if (ifp.state === 'renaming') enterState(net, ifp, 'attached');
  if (taken) return refuse(net, ifp.dev, 'SIOCSIFNAME', 'EEXIST');
  if (!fixed(net, 'rename-told-in-vnet0') || vnet === net.vnet0) {
    net.devctl.notify({ system: 'IFNET', subsystem: from, type: 'RENAME', data: `name=${to}`, dev: ifp.dev });
  }
  return undefined;
}
