/**
 * A VF's network driver, fed by what its function says: mlx4en, mlx5en, mana and an invented one are this code with other
 * numbers. Source of the order: sys/dev/mlx5/mlx5_en/mlx5_en_main.c (mlx5e_create_ifp(), mlx5e_destroy_ifp(), which closes
 * the queues before it takes the interface from the stack: G-21), from memory.
 * What this leaves out: everything of real hardware but its delays; media, resets and health recovery; that mlx5 and
 * mlx5en are two modules.
 */
import type { Nanoseconds } from '../../../base/time.ts';
import { Cell } from '../../../sim/cell.ts';
import type { Context } from '../../../sim/context.ts';
import { Mutex } from '../../../sim/mutex.ts';
import type { Task } from '../../../sim/operation.ts';
import type { VfTraits } from '../../hv/vf-traits.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFCAP, IFF } from '../../uapi/freebsd.ts';
import type { Module } from '../kern/modules.ts';
import type { FreebsdKernel } from '../kernel.ts';
import { allocateIfnet, freeIfnet } from '../net/allocate.ts';
import { etherAttach } from '../net/attach.ts';
import { detachIfnet } from '../net/detach.ts';
import { handUp } from '../net/ether-input.ts';
import type { DriverRequest, Ifnet } from '../net/ifnet.ts';
import { setLinkState } from '../net/link.ts';
import { fixed } from '../net.ts';
import type { Newbus, NewbusDriver } from './newbus.ts';
import type { PciDevice } from './pci.ts';
import { VF_DRIVER_IDS, type VfDriverId } from './vf-ids.ts';

/** The modules of all VF drivers that the table of ids names. */
export function vfDrivers(
  kernel: FreebsdKernel,
  pci: Newbus<PciDevice>,
  traits: readonly VfTraits[],
): readonly Module[] {
  const names = [...new Set(VF_DRIVER_IDS.map((id) => id.driver))];
  return names.map((name) => {
    const driver = vfDriver(kernel, name, traits);
    return { name, load: () => pci.load(driver), unload: () => pci.unload(driver) };
  });
}

function vfDriver(kernel: FreebsdKernel, name: string, traits: readonly VfTraits[]): NewbusDriver<PciDevice> {
  const bound = new Map<PciDevice, Vf>();
  const idOf = ({ vendorId, deviceId }: PciDevice): VfDriverId | undefined =>
    VF_DRIVER_IDS.find((id) => id.driver === name && id.vendor === vendorId && id.device === deviceId);
  return {
    name,
    matches: (device) => idOf(device) !== undefined,
    *attach(device, unit) {
      const id = idOf(device);
      const model = traits.find(({ vendor, device: of }) => vendor === device.vendorId && of === device.deviceId);
      if (id === undefined || model === undefined) return 'ENXIO';
      const vf = new Vf(kernel, device, model);
      const errno = yield* vf.attach(id.ifname, unit);
      if (errno === undefined) bound.set(device, vf);
      return errno;
    },
    *detach(device) {
      const vf = bound.get(device);
      bound.delete(device);
      if (vf !== undefined) yield* vf.detach();
    },
  };
}

const DEAD = 0xffff_ffff;
/** What such drivers have, all of it on (mlx5e_create_ifp()). */
const CAPABILITIES =
  IFCAP.RXCSUM |
  IFCAP.TXCSUM |
  IFCAP.VLAN_MTU |
  IFCAP.VLAN_HWTAGGING |
  IFCAP.JUMBO_MTU |
  IFCAP.TSO4 |
  IFCAP.TSO6 |
  IFCAP.LRO;

/** One attached function with its interface. */
class Vf {
  private readonly kernel: FreebsdKernel;
  private readonly device: PciDevice;
  private readonly traits: VfTraits;
  private readonly served: Context[] = [];
  /** Whether the queues are there; the link state follows the wire meanwhile. */
  private readonly opened: Cell<boolean>;
  /** Held while a frame goes up the stack: whoever ends the receiving waits for that. */
  private readonly receiving: Mutex;
  private ifp: Ifnet | undefined;

  constructor(kernel: FreebsdKernel, device: PciDevice, traits: VfTraits) {
    this.kernel = kernel;
    this.device = device;
    this.traits = traits;
    this.opened = new Cell(kernel.sim, `${device.dev}.opened`, false);
    this.receiving = new Mutex(kernel.sim, `${device.dev}.receiving`);
  }

  /** Firmware first, then the interface. ENXIO when the function has died meanwhile. */
  *attach(dname: string, dunit: number): Task<Errno | undefined> {
    const { kernel, device } = this;
    yield* this.take(kernel.latency.of('vf.probe', this.traits.probe), 'firmware');
    if ((yield* device.fn.barRead(0)) === DEAD) return 'ENXIO';
    const made = yield* allocateIfnet(kernel.net, {
      dev: device.dev,
      type: 'ether',
      dname,
      dunit,
      flags: IFF.BROADCAST | IFF.SIMPLEX | IFF.MULTICAST,
      input: kernel.etherInput,
      capabilities: CAPABILITIES,
      methods: { ioctl: (request) => this.ioctl(request), transmit: (frame) => this.transmit(frame) },
    });
    if (!made.ok) return made.error;
    // mlx5e_create_ifp() has the interface before the queues that firmware makes for it, and frees it where that fails.
    if ((yield* device.fn.barRead(0)) === DEAD) {
      yield* freeIfnet(kernel.net, made.value);
      return 'ENXIO';
    }
    this.ifp = made.value;
    yield* etherAttach(kernel.net, made.value, device.fn.mac);
    yield* setLinkState(kernel.net, made.value, 'down');
    this.serve('rx', this.receiveFrames(made.value));
    this.serve('link', this.watchLink(made.value));
    return undefined;
  }

  *detach(): Task {
    const { ifp } = this;
    if (ifp === undefined) return;
    const { net } = this.kernel;
    const stackFirst = fixed(net, 'vf-stack-first');
    if (!stackFirst) yield* this.close(ifp);
    yield* detachIfnet(net, ifp);
    if (stackFirst) yield* this.close(ifp);
    yield* this.receiving.lock();
    for (const context of this.served) this.kernel.sim.end(context);
    yield* this.receiving.unlock();
    yield* freeIfnet(net, ifp);
  }

  /** Time that the hardware takes; none is not even a pause. */
  private *take(span: Nanoseconds, what: string): Task {
    if (span > 0) yield* this.kernel.sim.sleep(span, `${this.device.dev}'s ${what}`);
  }

  private serve(what: string, task: Task): void {
    const { kernel, device } = this;
    this.served.push(kernel.sim.spawn(`${device.dev}.${what}`, 'guest', task, { daemon: true }));
  }

  private *ioctl(request: DriverRequest): Task<Errno | undefined> {
    const { ifp, traits } = this;
    if (ifp === undefined) return 'ENXIO';
    switch (request.request) {
      case 'SIOCSIFFLAGS': {
        const up = ((yield* ifp.flags.get()) & IFF.UP) !== 0;
        if (up) return yield* this.open(ifp);
        yield* this.close(ifp);
        return undefined;
      }
      case 'SIOCSIFMTU':
        return request.mtu < traits.mtuMin || request.mtu > traits.mtuMax ? 'EINVAL' : undefined;
      default:
        return undefined;
    }
  }

  /** Queues and link. EIO when the function has died. */
  private *open(ifp: Ifnet): Task<Errno | undefined> {
    const { kernel, device, traits } = this;
    if (yield* this.opened.get()) return undefined;
    yield* this.take(kernel.latency.of('vf.link', traits.link), 'link');
    if ((yield* device.fn.barRead(0)) === DEAD) return 'EIO';
    yield* this.opened.set(true);
    yield* ifp.drvFlags.update((flags) => flags | IFF.RUNNING);
    yield* this.followLink(ifp);
    return undefined;
  }

  private *close(ifp: Ifnet): Task {
    const { kernel, traits } = this;
    if (!(yield* this.opened.exchange(false))) return;
    yield* ifp.drvFlags.update((flags) => flags & ~IFF.RUNNING);
    yield* setLinkState(kernel.net, ifp, 'down');
    yield* this.take(kernel.latency.of('vf.stop', traits.stop), 'queues');
  }

  private *transmit(frame: Uint8Array): Task<Errno | undefined> {
    if (!(yield* this.opened.get())) return 'ENETDOWN';
    yield* this.device.fn.transmit(frame);
    return undefined;
  }

  /** The function's event that its port came up or went down. */
  private *watchLink(ifp: Ifnet): Task {
    const { link } = this.device.fn;
    for (let up = link.now; ; ) {
      up = yield* link.heed(up);
      if (yield* this.opened.get()) yield* this.followLink(ifp);
    }
  }

  /** The link state as the port has it; whoever changes either meanwhile finds it looked at again. */
  private *followLink(ifp: Ifnet): Task {
    const { link } = this.device.fn;
    let up: boolean;
    do {
      up = yield* link.get();
      yield* setLinkState(this.kernel.net, ifp, up ? 'up' : 'down');
    } while (up !== (yield* link.get()));
    if (!(yield* this.opened.get())) yield* setLinkState(this.kernel.net, ifp, 'down');
  }

  private *receiveFrames(ifp: Ifnet): Task {
    const { net } = this.kernel;
    for (;;) {
      const frame = yield* this.device.fn.rx.take();
      yield* this.receiving.lock();
      // A queue that is not there takes nothing.
      if (yield* this.opened.get()) yield* handUp(net, this.input(ifp, frame));
      yield* this.receiving.unlock();
    }
  }

  private *input(ifp: Ifnet, frame: Uint8Array): Task {
    const input = yield* ifp.input.get();
    yield* input(ifp, frame);
  }
}
