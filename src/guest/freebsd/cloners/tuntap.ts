/**
 * tun(4), tap(4) and vmnet(4) are one driver: an interface, and a device /dev/tunN through which a program is its other
 * end. To destroy one waits until the program has closed the device (G-20). Source: net/if_tuntap.c (tun_create(),
 * tun_destroy(), tun_ioctl_sx), from memory; reference G-20.
 * What this leaves out: the packets, and that an open makes an interface that is not there.
 */
import { err, ok } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { CloneType } from '../clone/cloner.ts';
import { isSimpleName } from '../clone/unit-name.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { ETHERNET, type Looks, SoftcDriver } from './softc.ts';
import { TunDevice } from './tun-device.ts';

const TUN: Looks = { link: 'other', flags: IFF.POINTOPOINT | IFF.MULTICAST };

export function tuntapType(net: FreebsdNet, kind: 'tun' | 'tap' | 'vmnet'): CloneType {
  const looks = kind === 'tun' ? TUN : ETHERNET;
  const driver = new SoftcDriver(net, kind, fixed(net, 'tunnel-ioctl-locked') ? 'locked' : 'unlocked');
  const devices = new WeakMap<Ifnet, TunDevice>();
  return {
    name: kind,
    autoUnit: true,
    matches: (wanted) => isSimpleName(kind, wanted),
    *create(cloner, { unit = 0 }) {
      const made = yield* driver.make(cloner, unit, looks);
      if (!made.ok) return err(made.error);
      const { ifp } = made.value;
      devices.set(ifp, new TunDevice(net.sim, `/dev/${ifp.name}`));
      yield* driver.attach(made.value, looks);
      return ok(ifp);
    },
    *destroy(_, ifp, force) {
      const softc = driver.of(ifp);
      const device = devices.get(ifp);
      if (softc === undefined || device === undefined) return undefined;
      const errno = yield* endDevice(net, device, force);
      if (errno === undefined) yield* driver.end(softc);
      return errno;
    },
    *open(ifp) {
      return yield* devices.get(ifp)?.open() ?? none();
    },
  };
}

/**
 * As it is: waits for a program, with whatever locks its caller has. As proposed: EBUSY; and where nobody may refuse,
 * because the cloner goes, the device is taken from the program (invented: a refusal there is asked for again for ever).
 */
function* endDevice(net: FreebsdNet, device: TunDevice, force: boolean): Task<Errno | undefined> {
  if (fixed(net, 'tun-busy-refused')) {
    if (!force) return (yield* device.dieUnlessOpen()) ? undefined : 'EBUSY';
    yield* device.seize();
    return undefined;
  }
  yield* device.die();
  yield* device.lastClose();
  return undefined;
}

function* none(): Task<Errno> {
  return 'ENXIO';
}
