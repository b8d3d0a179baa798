/**
 * pci-hyperv: a PCI bus of one function behind a VMBus channel. Source: drivers/pci/controller/pci-hyperv.c
 * (reference C.7). Probe, relations and eject meet at `state_lock`; relations and ejects run on the bus's ordered queue,
 * which the removal closes and drains before it takes the bus down.
 * What this leaves out: interrupts (the function's frames come without), hibernation, config blocks, resources that are
 * released one by one (a bus of several functions whose later ones fail), the slot of a function that is listed later.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import { openPayload } from '../../../bus/memory.ts';
import { isPacket, type ReadPacket } from '../../../bus/packet.ts';
import { PCI_REGISTER } from '../../../bus/pci-function.ts';
import { Cell } from '../../../sim/cell.ts';
import { Mutex } from '../../../sim/mutex.ts';
import type { Task } from '../../../sim/operation.ts';
import { WaitCell } from '../../../sim/wait-cell.ts';
import { OrderedQueue } from '../../../sim/work.ts';
import { isMalformed, type Malformed } from '../../../wire/message.ts';
import { CLASS_GUIDS } from '../../../wire/vmbus.ts';
import {
  isFailure,
  slotDevice,
  VPCI,
  VPCI_STATUS,
  VPCI_VERSIONS,
  type VpciFunction,
  type VpciMessage,
} from '../../../wire/vpci.ts';
import type { VpciCompletion } from '../../../wire/vpci-completion.ts';
import { type Errno, inLog } from '../../uapi/errno.ts';
import { type LinuxKernel, log } from '../kernel.ts';
import type { Module } from '../modules.ts';
import type { PciDevice, PciSlot } from '../pci-core.ts';
import type { HvDevice, HvDriver } from '../vmbus-core.ts';
import { askHost, exitD0, untilGone, vpci } from './vpci-requests.ts';

/** pci_ring_size: 4 pages (VMBUS_RING_SIZE of 16 KiB). */
const RING_PAGES = 4;
/** Where the config window is put; what stands there does not matter here. Invented. */
const MMIO_BASE = 0xfe00_0000n;
const NO_RANGES = new Uint8Array(120);

/** struct hv_pci_dev: a function that the host listed. */
interface Child {
  readonly description: Pick<VpciFunction, 'vendor' | 'device' | 'slot' | 'serial'>;
  pci: PciDevice | undefined;
}

type Description = Child['description'];

/** struct hv_pcibus_device. */
interface PciBus {
  readonly device: HvDevice;
  readonly domain: number;
  /** Serialises probe, relations and eject (067d6ec7ed5b). */
  readonly stateLock: Mutex;
  readonly queue: OrderedQueue;
  /** The probe waits for the first relations. */
  readonly surveyed: WaitCell<'surveyed' | 'rescinded'>;
  /** dr_list: what the host listed last, until the work takes it. */
  readonly reported: Cell<readonly Description[] | undefined>;
  /** Written under state_lock; the channel's callback reads it too. */
  readonly children: Cell<readonly Child[]>;
  /** Whether the PCI core has the bus (hv_pcibus_installed); under state_lock. */
  installed: boolean;
}

export function pciHyperv(kernel: LinuxKernel): Module {
  const buses: Buses = new Map();
  const driver: HvDriver = {
    name: 'hv_pci',
    interfaceType: CLASS_GUIDS.pciPassThrough,
    probe: (device) => bind(kernel, buses, device),
    remove: (device) => unbind(kernel, buses, device),
  };
  return {
    name: 'pci-hyperv',
    load: () => kernel.vmbusCore.drivers.register(driver),
    unload: () => kernel.vmbusCore.drivers.unregister(driver),
  };
}

type Buses = Map<HvDevice, PciBus>;

function* bind(kernel: LinuxKernel, buses: Buses, device: HvDevice): Task<Errno | undefined> {
  const bus = makeBus(kernel, device);
  const errno = yield* probe(kernel, bus);
  if (errno === undefined) buses.set(device, bus);
  else yield* giveUp(kernel, bus);
  return errno;
}

function* unbind(kernel: LinuxKernel, buses: Buses, device: HvDevice): Task {
  const bus = buses.get(device);
  if (bus === undefined) return;
  buses.delete(device);
  yield* remove(kernel, bus);
}

function makeBus(kernel: LinuxKernel, device: HvDevice): PciBus {
  const { sim, pci } = kernel;
  const wanted = Number.parseInt(device.channel.offer.instance.slice(9, 13), 16); // bytes 5:4 as one number
  const { domain, collided } = pci.takeDomain(wanted);
  if (collided) {
    const [was, is] = [wanted.toString(16), domain.toString(16)];
    log(kernel, device.dev, 'warn', `PCI dom# 0x${was} has collision, using 0x${is}`);
  }
  return {
    device,
    domain,
    stateLock: new Mutex(sim, `${device.dev}.state_lock`),
    queue: new OrderedQueue(sim, `hv_pci_${domain.toString(16)}`),
    surveyed: new WaitCell(sim, `${device.dev}.survey`),
    reported: new Cell<readonly Description[] | undefined>(sim, `${device.dev}.dr_list`, undefined, showList),
    children: new Cell<readonly Child[]>(sim, `${device.dev}.children`, [], showList),
    installed: false,
  };
}

const showList = (list: readonly unknown[] | undefined): string =>
  list === undefined ? 'none' : `${list.length} listed`;

/** hv_pci_probe(): the VF driver's own probe runs inside of it, at the end. */
function* probe(kernel: LinuxKernel, bus: PciBus): Task<Errno | undefined> {
  const { channel } = bus.device;
  const { dev } = bus.device;
  const errno = kernel.faults.strike('vmbus_open', dev) ?? (yield* kernel.vmbus.open(channel, RING_PAGES));
  if (errno !== undefined) return errno;
  kernel.sim.spawn(
    `${bus.device.dev}.vpci`,
    'guest',
    channel.serve((packet) => onPacket(kernel, bus, packet)),
    {
      daemon: true,
    },
  );
  const version = yield* agreeOnVersion(kernel, bus);
  if (!version.ok) return version.error;
  yield* channel.send(vpci({ name: 'queryBusRelations' }));
  if ((yield* untilGone(kernel, bus.device, bus.surveyed)) === 'rescinded') return 'ENODEV';
  yield* bus.stateLock.lock();
  const failed = yield* install(kernel, bus, version.value);
  yield* bus.stateLock.unlock();
  return failed;
}

/** hv_pci_protocol_negotiation(): the newest version first; only a mismatch makes it try the next. */
function* agreeOnVersion(kernel: LinuxKernel, bus: PciBus): Task<Result<number, Errno>> {
  const { dev } = bus.device;
  for (const version of Object.values(VPCI_VERSIONS)) {
    const answer = yield* askHost(kernel, bus.device, 'queryProtocolVersion', {
      name: 'queryProtocolVersion',
      version,
    });
    if (answer === undefined) {
      log(kernel, dev, 'err', `PCI Pass-through VSP failed to request version: ${inLog('ENODEV')}`);
      return err('ENODEV');
    }
    if (!isFailure(answer.status)) {
      log(kernel, dev, 'info', `PCI VMBus probing: Using version 0x${version.toString(16)}`);
      return ok(version);
    }
    if (answer.status !== VPCI_STATUS.revisionMismatch) {
      log(kernel, dev, 'err', `PCI Pass-through VSP failed version request: 0x${answer.status.toString(16)}`);
      return err('EPROTO');
    }
  }
  log(kernel, dev, 'err', 'PCI pass-through VSP failed to find supported version');
  return err('EPROTO');
}

/** From D0 entry to the devices: under state_lock, so that an eject waits until the VF's driver has probed. */
function* install(kernel: LinuxKernel, bus: PciBus, version: number): Task<Errno | undefined> {
  let entered = yield* askHost(kernel, bus.device, 'busD0Entry', { name: 'busD0Entry', mmioBase: MMIO_BASE });
  if (entered !== undefined && isFailure(entered.status)) {
    log(kernel, bus.device.dev, 'err', 'Retrying D0 Entry');
    yield* exitD0(bus.device);
    entered = yield* askHost(kernel, bus.device, 'busD0Entry', { name: 'busD0Entry', mmioBase: MMIO_BASE });
  }
  if (entered === undefined) return 'ENODEV';
  if (isFailure(entered.status)) {
    const text = `PCI Pass-through VSP failed D0 Entry with status ${entered.status.toString(16)}`;
    log(kernel, bus.device.dev, 'err', text);
    return 'EPROTO';
  }
  for (const { description } of bus.children.now) {
    const assigned = yield* assignResources(kernel, bus, description.slot, version);
    if (assigned !== undefined && !isFailure(assigned.status)) continue;
    if (assigned !== undefined) {
      log(kernel, bus.device.dev, 'err', `resource allocated returned 0x${assigned.status.toString(16)}`);
    }
    yield* exitD0(bus.device);
    return assigned === undefined ? 'ENODEV' : 'EPROTO';
  }
  yield* kernel.pci.rescanRemove.lock();
  yield* createRootBus(kernel, bus);
  yield* kernel.pci.rescanRemove.unlock();
  bus.installed = true;
  return undefined;
}

function* assignResources(
  kernel: LinuxKernel,
  bus: PciBus,
  slot: number,
  version: number,
): Task<VpciCompletion<'resourcesAssigned' | 'resourcesAssigned2'> | undefined> {
  const body = { slot, memoryRanges: NO_RANGES };
  return version >= VPCI_VERSIONS['1.2']
    ? yield* askHost(kernel, bus.device, 'resourcesAssigned2', {
        name: 'resourcesAssigned2',
        msiDescriptors: 0,
        ...body,
      })
    : yield* askHost(kernel, bus.device, 'resourcesAssigned', {
        name: 'resourcesAssigned',
        msiDescriptors: 0,
        ...body,
      });
}

/** create_root_hv_pci_bus(): devices found, slots made with the decimal serial as their name, then drivers probed. */
function* createRootBus(kernel: LinuxKernel, bus: PciBus): Task {
  const text = `PCI host bridge to bus ${bus.domain.toString(16).padStart(4, '0')}:00`;
  log(kernel, bus.device.dev, 'info', text);
  const children = bus.children.now;
  for (const child of children) child.pci = yield* scan(kernel, bus, child);
  for (const { pci, description } of children) {
    if (pci !== undefined) pci.slot = createSlot(kernel, pci, String(description.serial));
  }
  for (const { pci } of children) {
    if (pci !== undefined) yield* kernel.pci.add(pci);
  }
}

/** hv_pci_assign_slots(): a function whose slot cannot be made goes without. */
function createSlot(kernel: LinuxKernel, { dev }: PciDevice, name: string): PciSlot | undefined {
  if (kernel.faults.strike('pci_create_slot', dev) === undefined) {
    const slot = kernel.pci.createSlot(name);
    if (slot.name !== name) kernel.sim.trace.emit({ kind: 'pci.slot-taken', dev, wanted: name, slot: slot.name });
    return slot;
  }
  log(kernel, dev, 'warn', `pci_create slot ${name} failed`);
  return undefined;
}

/** pci_scan_child_bus(): a function that reads all ones is not there. */
function* scan(kernel: LinuxKernel, bus: PciBus, child: Child): Task<PciDevice | undefined> {
  const { dev } = bus.device;
  const fn = kernel.bus.functions.get(dev);
  if (fn === undefined) return undefined;
  const id = yield* fn.configRead(PCI_REGISTER.id);
  if (id >>> 0 === 0xffff_ffff) return undefined;
  const device = slotDevice(child.description.slot);
  const [domain, number] = [bus.domain.toString(16).padStart(4, '0'), device.toString(16).padStart(2, '0')];
  return {
    dev,
    fn,
    domain: bus.domain,
    device,
    vendorId: id & 0xffff,
    deviceId: id >>> 16,
    path: `VMBUS:00/${bus.device.channel.offer.instance}/pci${domain}:00/${domain}:00:${number}.0`,
    lock: new Mutex(kernel.sim, `${dev}.pci.lock`),
    slot: undefined,
    driver: undefined,
  };
}

/** hv_pci_onchannelcallback(). */
function* onPacket(kernel: LinuxKernel, bus: PciBus, packet: ReadPacket): Task {
  if (!isPacket(packet)) return report(kernel, bus, packet);
  if (packet.type === 'completion') {
    const known = yield* bus.device.channel.resolve(packet);
    if (!known) log(kernel, bus.device.dev, 'err', `Invalid transaction ID ${packet.transactionId.toString(16)}`);
    return;
  }
  const message = openPayload<VpciMessage>(VPCI, packet.payload);
  if (isMalformed(message)) return report(kernel, bus, message);
  switch (message.name) {
    case 'busRelations':
    case 'busRelations2': {
      // A work that has not looked yet will see the new list.
      const pending = yield* bus.reported.exchange(message.functions);
      if (pending === undefined) yield* defer(kernel, bus, 'BUS_RELATIONS', () => onRelations(kernel, bus));
      break;
    }
    case 'eject': {
      const child = (yield* bus.children.get()).find(({ description }) => description.slot === message.slot);
      if (child !== undefined) yield* defer(kernel, bus, 'EJECT', () => onEject(kernel, bus, child));
      break;
    }
    default:
      log(kernel, bus.device.dev, 'warn', `Unimplemented protocol message ${message.name}`);
  }
}

function* defer(kernel: LinuxKernel, bus: PciBus, what: string, body: () => Task): Task {
  const queued = yield* bus.queue.queueOrRefuse({ name: what, body });
  if (!queued) log(kernel, bus.device.dev, 'info', `PCI VMBus ${what}: ignored`);
}

/** pci_devices_present_work(): new children ask for their BARs; missing ones lose their slot. */
function* onRelations(kernel: LinuxKernel, bus: PciBus): Task {
  const functions = yield* bus.reported.exchange(undefined);
  if (functions === undefined) return;
  yield* bus.stateLock.lock();
  const isSame = (a: Description, b: Description): boolean =>
    a.slot === b.slot && a.vendor === b.vendor && a.device === b.device && a.serial === b.serial;
  const known = bus.children.now;
  const kept = known.filter((child) => functions.some((each) => isSame(each, child.description)));
  for (const child of known) {
    if (!kept.includes(child)) dropSlot(kernel, child);
  }
  for (const description of functions) {
    if (kept.some((child) => isSame(child.description, description))) continue;
    const { slot } = description;
    const bars = yield* askHost(kernel, bus.device, 'queryResourceRequirements', {
      name: 'queryResourceRequirements',
      slot,
    });
    if (bars === undefined) {
      log(kernel, bus.device.dev, 'err', "couldn't record a child device.");
      continue;
    }
    if (isFailure(bars.status)) {
      log(kernel, bus.device.dev, 'err', `query resource requirements failed: ${bars.status.toString(16)}`);
    }
    kept.push({ description, pci: undefined });
  }
  yield* bus.children.set(kept);
  if (bus.installed) {
    // pci_scan_child_bus(): a function that came later is found, but no driver is asked to take it.
    yield* kernel.pci.rescanRemove.lock();
    yield* kernel.pci.rescanRemove.unlock();
  } else {
    yield* bus.surveyed.resolve('surveyed');
  }
  yield* bus.stateLock.unlock();
}

/** hv_eject_device_work(): the VF's driver is removed first; only then the host hears of it. */
function* onEject(kernel: LinuxKernel, bus: PciBus, child: Child): Task {
  yield* bus.stateLock.lock();
  if (child.pci !== undefined) {
    yield* kernel.pci.rescanRemove.lock();
    yield* kernel.pci.remove(child.pci);
    yield* kernel.pci.rescanRemove.unlock();
  }
  yield* bus.children.update((children) => children.filter((each) => each !== child));
  dropSlot(kernel, child);
  const { slot } = child.description;
  yield* bus.device.channel.send(vpci({ name: 'ejectionComplete', slot, status: 0 }));
  yield* bus.stateLock.unlock();
}

function dropSlot(kernel: LinuxKernel, { pci }: Child): void {
  if (pci?.slot !== undefined) kernel.pci.destroySlot(pci.slot);
  if (pci !== undefined) pci.slot = undefined;
}

/** hv_pci_remove(): the queue is drained first, so no work runs after it, and nobody needs state_lock. */
function* remove(kernel: LinuxKernel, bus: PciBus): Task {
  yield* bus.queue.destroy();
  const children = bus.children.now;
  yield* kernel.pci.rescanRemove.lock();
  for (const { pci } of children) {
    if (pci !== undefined) yield* kernel.pci.remove(pci);
  }
  for (const child of children) dropSlot(kernel, child);
  yield* kernel.pci.rescanRemove.unlock();
  yield* exitD0(bus.device);
  yield* kernel.vmbus.close(bus.device.channel);
  kernel.pci.releaseDomain(bus.domain);
}

/** The way out of a probe that failed. */
function* giveUp(kernel: LinuxKernel, bus: PciBus): Task {
  yield* kernel.vmbus.close(bus.device.channel);
  yield* bus.queue.destroy();
  kernel.pci.releaseDomain(bus.domain);
}

function report(kernel: LinuxKernel, bus: PciBus, { protocol, problem, what = '' }: Malformed): void {
  const { dev } = bus.device;
  kernel.sim.trace.emit({ kind: 'wire.malformed', from: 'host', protocol, problem, dev, detail: what });
}
