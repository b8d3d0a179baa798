/**
 * A VF's network driver, fed by what its function says: mlx5_core, mana and an invented one are this code with other
 * numbers. Source of the order: drivers/net/ethernet/mellanox/mlx5/core/en_main.c, microsoft/mana/mana_en.c: the
 * address is set before register_netdev(), and a driver's remove unregisters first.
 * What this leaves out: everything of real hardware but its delays; resets and health recovery.
 */
import type { Nanoseconds } from '../../../base/time.ts';
import { Cell } from '../../../sim/cell.ts';
import type { Context } from '../../../sim/context.ts';
import type { Task } from '../../../sim/operation.ts';
import type { VfTraits } from '../../hv/vf-traits.ts';
import type { Errno } from '../../uapi/errno.ts';
import type { LinuxKernel } from '../kernel.ts';
import type { Module } from '../modules.ts';
import { Netdev } from '../netdev.ts';
import { receive } from '../packets.ts';
import type { PciDevice, PciDriver } from '../pci-core.ts';
import { VF_DRIVER_IDS } from './ids.ts';

/** The modules of all VF drivers that the table of ids names. */
export function vfDrivers(kernel: LinuxKernel, traits: readonly VfTraits[]): readonly Module[] {
  const names = [...new Set(VF_DRIVER_IDS.map((id) => id.driver))];
  return names.map((name) => vfDriver(kernel, name, traits));
}

function vfDriver(kernel: LinuxKernel, name: string, traits: readonly VfTraits[]): Module {
  const bound: Bound = new Map();
  const driver: PciDriver = {
    name,
    matches: (vendor, device) =>
      VF_DRIVER_IDS.some((id) => id.driver === name && id.vendor === vendor && id.device === device),
    probe: (device) => probe(kernel, traits, bound, device),
    remove: (device) => remove(bound, device),
  };
  return {
    name,
    load: () => kernel.pci.drivers.register(driver),
    unload: () => kernel.pci.drivers.unregister(driver),
  };
}

type Bound = Map<PciDevice, Vf>;

function* probe(
  kernel: LinuxKernel,
  traits: readonly VfTraits[],
  bound: Bound,
  device: PciDevice,
): Task<Errno | undefined> {
  const failing = kernel.faults.strike('local_pci_probe', device.dev);
  if (failing !== undefined) return failing;
  const model = traits.find((each) => each.vendor === device.vendorId && each.device === device.deviceId);
  if (model === undefined) return 'ENODEV';
  const vf = new Vf(kernel, device, model);
  const errno = yield* vf.probe();
  if (errno === undefined) bound.set(device, vf);
  return errno;
}

function* remove(bound: Bound, device: PciDevice): Task {
  const vf = bound.get(device);
  bound.delete(device);
  if (vf !== undefined) yield* vf.remove();
}

/** One bound function with its network device. */
class Vf {
  private readonly kernel: LinuxKernel;
  private readonly device: PciDevice;
  private readonly traits: VfTraits;
  private readonly netdev: Netdev;
  private readonly served: Context[] = [];
  /** Between ndo_open and ndo_stop the carrier follows the link. */
  private readonly opened: Cell<boolean>;

  constructor(kernel: LinuxKernel, device: PciDevice, traits: VfTraits) {
    this.kernel = kernel;
    this.device = device;
    this.traits = traits;
    this.opened = new Cell(kernel.sim, `${device.dev}.opened`, false);
    const { dev, domain, path, vendorId, deviceId, fn } = device;
    const driver = device.driver?.name ?? '';
    this.netdev = new Netdev(kernel.sim, {
      dev,
      parent: {
        bus: 'pci',
        path,
        driver,
        pci: { domain, device: device.device, vendorId, deviceId, slotName: () => device.slot?.name },
      },
      mac: fn.mac,
      mtuMin: traits.mtuMin,
      mtuMax: traits.mtuMax,
      ops: {
        open: () => this.open(),
        stop: () => this.stop(),
        startXmit: (frame) => this.startXmit(frame),
      },
    });
  }

  /** Firmware and queues first, then the network device. ENODEV when the function died meanwhile. */
  *probe(): Task<Errno | undefined> {
    const { kernel, device } = this;
    yield* this.take(kernel.latency.of('vf.probe', this.traits.probe), 'firmware');
    if ((yield* device.fn.barRead(0)) === 0xffff_ffff) return 'ENODEV';
    const errno = yield* kernel.net.registerLocked(this.netdev);
    if (errno !== undefined) return errno;
    this.serve('rx', this.receiveFrames());
    this.serve('link', this.watchLink());
    return undefined;
  }

  *remove(): Task {
    yield* this.kernel.net.unregisterLocked(this.netdev);
    for (const context of this.served) this.kernel.sim.end(context);
  }

  /** Time that the hardware takes; none is not even a pause. */
  private *take(span: Nanoseconds, what: string): Task {
    if (span > 0) yield* this.kernel.sim.sleep(span, `${this.device.dev}'s ${what}`);
  }

  private serve(what: string, task: Task): void {
    const { kernel, device } = this;
    this.served.push(kernel.sim.spawn(`${device.dev}.${what}`, 'guest', task, { daemon: true }));
  }

  /** ndo_open: queues and link; the carrier is there when it returns. */
  private *open(): Task<Errno | undefined> {
    const { kernel, device, traits } = this;
    yield* this.take(kernel.latency.of('vf.link', traits.link), 'link');
    if ((yield* device.fn.barRead(0)) === 0xffff_ffff) return 'EIO';
    yield* this.opened.set(true);
    yield* this.followLink();
    return undefined;
  }

  private *stop(): Task {
    const { kernel, netdev, traits } = this;
    yield* this.opened.set(false);
    yield* kernel.linkWatch.carrier(netdev, false);
    yield* this.take(kernel.latency.of('vf.stop', traits.stop), 'queues');
  }

  private *startXmit(frame: Uint8Array): Task {
    yield* this.device.fn.transmit(frame);
  }

  /** The function's event that its port came up or went down. */
  private *watchLink(): Task {
    const { link } = this.device.fn;
    for (let up = link.now; ; ) {
      up = yield* link.heed(up);
      if (yield* this.opened.get()) yield* this.followLink();
    }
  }

  /** The carrier as the port has it; whoever changes either meanwhile finds it looked at again. */
  private *followLink(): Task {
    const { link } = this.device.fn;
    let up: boolean;
    do {
      up = yield* link.get();
      yield* this.kernel.linkWatch.carrier(this.netdev, up);
    } while (up !== (yield* link.get()));
    if (!(yield* this.opened.get())) yield* this.kernel.linkWatch.carrier(this.netdev, false);
  }

  private *receiveFrames(): Task {
    const { fn } = this.device;
    for (;;) {
      const frame = yield* fn.rx.take();
      yield* receive(this.netdev, frame);
    }
  }
}
