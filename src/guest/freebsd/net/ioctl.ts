/**
 * What ifconfig(8) asks for: an interface is found by its name in the vnet of whoever asks, with a reference that is held
 * meanwhile. Source: net/if.c (ifioctl(), ifhwioctl(), if_setlladdr()); reference A.8.
 * What this leaves out: privileges, capabilities, media, groups that user mode makes.
 */
import type { MacAddress } from '../../../base/mac.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { FlagChoice } from '../../uapi/uapi.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { isShuttingDown } from '../vnet/vnets.ts';
import { releaseIfnet } from './allocate.ts';
import { tellChange } from './announce.ts';
import { setFlags } from './flags.ts';
import type { Ifnet } from './ifnet.ts';
import { byNameReferenced } from './lookup.ts';

/** IF_MINMTU and IF_MAXMTU (net/if.h). */
const MTU_MIN = 72;
const MTU_MAX = 65535;

/** Requests that configure go through here, whatever they are about: where the proposal of seed 002 is in, one at a time. */
export function* asIoctl<T>(net: FreebsdNet, request: Task<T>): Task<T> {
  return fixed(net, 'ioctl-serialiser') ? yield* net.serialiser.within(request) : yield* request;
}

/** Runs a request on an interface: EBUSY in a vnet that ends, ENXIO when there is no such interface. */
export function* onInterface(
  net: FreebsdNet,
  vnet: Vnet,
  ifname: string,
  what: string,
  request: (ifp: Ifnet) => Task<Errno | undefined>,
): Task<Errno | undefined> {
  return yield* asIoctl(net, onNamed(net, vnet, ifname, { what, request }));
}

function* onNamed(
  net: FreebsdNet,
  vnet: Vnet,
  ifname: string,
  { what, request }: { readonly what: string; readonly request: (ifp: Ifnet) => Task<Errno | undefined> },
): Task<Errno | undefined> {
  if (isShuttingDown(vnet)) return refuse(net, '', what, 'EBUSY');
  const ifp = yield* byNameReferenced(net, vnet, ifname);
  if (ifp === undefined) return refuse(net, '', what, 'ENXIO');
  const errno = yield* net.curvnet.within(vnet, request(ifp));
  yield* releaseIfnet(net, ifp);
  return errno;
}

/** SIOCSIFFLAGS with some flags changed, as ifconfig sends it: it reads them, and writes them all. */
export function* changeUserFlags(net: FreebsdNet, ifp: Ifnet, choice: FlagChoice): Task<Errno | undefined> {
  let wanted = yield* ifp.flags.get();
  const bits = { up: IFF.UP, arp: IFF.NOARP } as const;
  if (choice.up !== undefined) wanted = choice.up ? wanted | bits.up : wanted & ~bits.up;
  if (choice.arp !== undefined) wanted = choice.arp ? wanted & ~bits.arp : wanted | bits.arp;
  return yield* setFlags(net, ifp, wanted);
}

/** SIOCSIFMTU. */
export function* setMtu(net: FreebsdNet, ifp: Ifnet, mtu: number): Task<Errno | undefined> {
  if (mtu < MTU_MIN || mtu > MTU_MAX) return refuse(net, ifp.dev, 'SIOCSIFMTU', 'EINVAL');
  const methods = yield* ifp.methods.get();
  const errno = yield* methods.ioctl({ request: 'SIOCSIFMTU', mtu });
  if (errno !== undefined) return refuse(net, ifp.dev, 'SIOCSIFMTU', errno);
  ifp.mtu = mtu;
  net.sim.trace.emit({ kind: 'netdev.mtu', dev: ifp.dev, mtu });
  tellChange(net, ifp);
  return undefined;
}

/** SIOCSIFLLADDR: the driver is taken down and up again if it is up; the permanent address stays. */
export function* setLinkAddress(net: FreebsdNet, ifp: Ifnet, mac: MacAddress): Task<Errno | undefined> {
  if (ifp.type !== 'ether') return refuse(net, ifp.dev, 'SIOCSIFLLADDR', 'ENODEV');
  yield* ifp.addressLock.lock();
  ifp.mac = mac;
  yield* ifp.addressLock.unlock();
  net.sim.trace.emit({ kind: 'netdev.mac', dev: ifp.dev, mac });
  if (((yield* ifp.flags.get()) & IFF.UP) !== 0) {
    for (const change of [(flags: number) => flags & ~IFF.UP, (flags: number) => flags | IFF.UP]) {
      yield* ifp.flags.update(change);
      const methods = yield* ifp.methods.get();
      yield* methods.ioctl({ request: 'SIOCSIFFLAGS' });
    }
  }
  yield* net.events.raise('iflladdr_event', ifp);
  return undefined;
}
