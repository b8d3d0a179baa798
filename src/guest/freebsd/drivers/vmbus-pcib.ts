/**
 * vmbus_pcib(4): a PCI bus behind a VMBus channel. Attaching it waits for the host's list of functions and attaches their
 * drivers within; relations and ejects come later, each as a task. Source: sys/dev/hyperv/pcib/vmbus_pcib.c
 * (vmbus_pcib_attach(), pci_devices_present_work(), hv_eject_device_work()); reference E.6, G-39, G-40.
 * What this leaves out: interrupts, BARs and MMIO, configuration space but the ids of a function.
 */
import { openPayload } from '../../../bus/memory.ts';
import { isPacket, type ReadPacket } from '../../../bus/packet.ts';
import { PCI_REGISTER } from '../../../bus/pci-function.ts';
import { Cell } from '../../../sim/cell.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import { WaitCell } from '../../../sim/wait-cell.ts';
import { isMalformed, type Malformed } from '../../../wire/message.ts';
import { CLASS_GUIDS } from '../../../wire/vmbus.ts';
import {
  isFailure,
  VPCI,
  VPCI_STATUS,
  VPCI_VERSIONS,
  type VpciFunction,
  type VpciMessage,
} from '../../../wire/vpci.ts';
import type { Errno } from '../../uapi/errno.ts';
import { KernelMemory } from '../kern/memory.ts';
import type { Module } from '../kern/modules.ts';
import { Taskqueue } from '../kern/taskqueue.ts';
import type { FreebsdKernel } from '../kernel.ts';
import { fixed } from '../net.ts';
import type { Newbus } from './newbus.ts';
import type { PciDevice } from './pci.ts';
import type { Vmbus, VmbusDevice } from './vmbus.ts';
import { askHost, exitD0, vpci } from './vpci-requests.ts';

/** pci_ring_size: 4 pages in each direction. */
const RING_PAGES = 4;
/** Where the config window is put; what stands there does not matter here. Invented. */
const MMIO_BASE = 0xfe00_0000n;
const NO_RANGES = new Uint8Array(120);

/** struct hv_pci_dev: a function that the host listed. */
interface Child {
  readonly description: Pick<VpciFunction, 'vendor' | 'device' | 'slot' | 'serial'>;
  readonly memory: KernelMemory;
  /** With {@link PciBus.states}, as all that is not read only. */
  pci: PciDevice | undefined;
  /** hv_pcichild_ejecting. */
  ejecting: boolean;
}

/** struct hv_pcibus. */
interface PciBus {
  readonly device: VmbusDevice;
  /** `vmbus_pcib`'s own taskqueue: relations, and in older kernels ejects. */
  readonly tasks: Taskqueue;
  /** Whoever asked for relations waits for them. */
  readonly surveyed: WaitCell<'surveyed' | 'rescinded'>;
  /** What the host listed last, until the task takes it. */
  readonly reported: Cell<readonly Child['description'][] | undefined>;
  /** With the device list's mutex, which nobody holds over a wait. */
  readonly children: Cell<readonly Child[]>;
  /** hv_pcibus_installed. */
  installed: boolean;
  /** What threads read and write of the bus and its children without a lock. */
  readonly states: Place;
}

/** What the bridge stands on. */
export interface PcibSurroundings {
  readonly kernel: FreebsdKernel;
  readonly vmbus: Vmbus;
  readonly pci: Newbus<PciDevice>;
}

export function vmbusPcib(around: PcibSurroundings): Module {
  const buses = new Map<VmbusDevice, PciBus>();
  const driver = {
    name: 'pcib',
    matches: ({ channel }: VmbusDevice) => channel.offer.interfaceType === CLASS_GUIDS.pciPassThrough,
    attach: (device: VmbusDevice) => attach(around, buses, device),
    *detach(device: VmbusDevice): Task {
      const bus = buses.get(device);
      buses.delete(device);
      if (bus !== undefined) yield* detach(around, bus);
    },
  };
  return {
    name: 'vmbus_pcib',
    load: () => around.vmbus.bus.load(driver),
    unload: () => around.vmbus.bus.unload(driver),
  };
}

function* attach(
  around: PcibSurroundings,
  buses: Map<VmbusDevice, PciBus>,
  device: VmbusDevice,
): Task<Errno | undefined> {
  const { sim } = around.kernel;
  const bus: PciBus = {
    device,
    tasks: new Taskqueue(sim, `${device.dev}.pcib`),
    surveyed: new WaitCell(sim, `${device.dev}.survey`),
    reported: new Cell<readonly Child['description'][] | undefined>(sim, `${device.dev}.dr_list`, undefined, showList),
    children: new Cell<readonly Child[]>(sim, `${device.dev}.children`, [], showList),
    installed: false,
    states: new Place(sim),
  };
  const { client } = around.vmbus;
  const errno = yield* client.open(device.channel, RING_PAGES);
  if (errno !== undefined) {
    yield* bus.tasks.free();
    return errno;
  }
  const served = device.channel.serve((packet) => onPacket(around, bus, packet));
  sim.spawn(`${device.dev}.vpci`, 'guest', served, { daemon: true });
  const failed = yield* enter(around, bus);
  if (failed !== undefined) {
    yield* client.close(device.channel);
    yield* bus.tasks.free();
    return failed;
  }
  buses.set(device, bus);
  return undefined;
}

const showList = (list: readonly unknown[] | undefined): string =>
  list === undefined ? 'none' : `${list.length} listed`;

/** Protocol, relations, D0 and resources; then the functions' drivers are attached, within the bridge's own attach. */
function* enter(around: PcibSurroundings, bus: PciBus): Task<Errno | undefined> {
  const { channel } = bus.device;
  const version = yield* agreeOnVersion(around, bus);
  if (version === undefined) return 'ENODEV';
  yield* channel.send(vpci({ name: 'queryBusRelations' }));
  if ((yield* channel.untilRescinded(bus.surveyed)) === 'rescinded') return 'ENODEV';
  const entered = yield* askHost(channel, 'busD0Entry', { name: 'busD0Entry', mmioBase: MMIO_BASE });
  if (entered === undefined || isFailure(entered.status)) return 'ENODEV';
  for (const child of bus.children.now) {
    if (!(yield* child.memory.use('hv_send_resources_allocated'))) continue;
    const { slot } = child.description;
    const message = { slot, memoryRanges: NO_RANGES, msiDescriptors: 0 } as const;
    const answer =
      version >= VPCI_VERSIONS['1.2']
        ? yield* askHost(channel, 'resourcesAssigned2', { name: 'resourcesAssigned2', ...message })
        : yield* askHost(channel, 'resourcesAssigned', { name: 'resourcesAssigned', ...message });
    if (answer === undefined || isFailure(answer.status)) return 'ENODEV';
  }
  for (const child of bus.children.now) yield* attachChild(around, bus, child);
  bus.states.write();
  bus.installed = true;
  return undefined;
}

/** hv_pci_protocol_negotiation(): the newest version first. */
function* agreeOnVersion({ kernel }: PcibSurroundings, { device }: PciBus): Task<number | undefined> {
  for (const version of Object.values(VPCI_VERSIONS)) {
    const answer = yield* askHost(device.channel, 'queryProtocolVersion', { name: 'queryProtocolVersion', version });
    if (answer === undefined) return undefined;
    if (!isFailure(answer.status)) return version;
    if (answer.status === VPCI_STATUS.revisionMismatch) continue;
    const text = `vmbus_pcib failed version request: 0x${answer.status.toString(16)}`;
    kernel.sim.trace.emit({ kind: 'log', level: 'err', dev: device.dev, text });
    return undefined;
  }
  return undefined;
}

/** bus_generic_attach(): a function that reads all ones is not there. */
function* attachChild({ kernel, pci }: PcibSurroundings, bus: PciBus, child: Child): Task {
  if (!(yield* child.memory.use('pci_add_children'))) return;
  const { dev } = bus.device;
  const fn = kernel.bus.functions.get(dev);
  if (fn === undefined) return;
  const id = (yield* fn.configRead(PCI_REGISTER.id)) >>> 0;
  if (id === 0xffff_ffff) return;
  bus.states.write();
  child.pci = { dev, fn, vendorId: id & 0xffff, deviceId: id >>> 16 };
  yield* pci.add(child.pci);
  yield* child.memory.use('bus_generic_attach');
}

/** vmbus_pcib_on_channel_callback(). A list with nothing in it is passed over. */
function* onPacket(around: PcibSurroundings, bus: PciBus, packet: ReadPacket): Task {
  if (!isPacket(packet)) return report(around, bus, packet);
  if (packet.type === 'completion') {
    yield* bus.device.channel.resolve(packet);
    return;
  }
  const message = openPayload<VpciMessage>(VPCI, packet.payload);
  if (isMalformed(message)) return report(around, bus, message);
  switch (message.name) {
    case 'busRelations':
    case 'busRelations2': {
      if (message.functions.length === 0) return;
      const pending = yield* bus.reported.exchange(message.functions);
      if (pending === undefined) yield* bus.tasks.enqueue({ name: 'relations', body: () => onRelations(around, bus) });
      break;
    }
    case 'eject': {
      const child = (yield* bus.children.get()).find(({ description }) => description.slot === message.slot);
      if (child !== undefined) yield* startEject(around, bus, child);
      break;
    }
    default:
      break;
  }
}

/** hv_pci_eject_device(): on the thread that attaches and detaches, or on the bridge's own beside it (G-39). */
function* startEject(around: PcibSurroundings, bus: PciBus, child: Child): Task {
  const { net } = around.kernel;
  bus.states.write();
  if (child.ejecting && fixed(net, 'eject-once')) return;
  child.ejecting = true;
  const queue = fixed(net, 'eject-on-bus-queue') ? around.vmbus.devices : bus.tasks;
  yield* queue.enqueue({ name: `eject ${bus.device.dev}`, body: () => eject(around, bus, child) });
}

/** hv_eject_device_work(): the driver is detached first; only then the host hears of it. */
function* eject(around: PcibSurroundings, bus: PciBus, child: Child): Task {
  yield* removeChild(around, bus, child, 'hv_eject_device_work');
  const { slot } = child.description;
  yield* bus.device.channel.send(vpci({ name: 'ejectionComplete', slot, status: 0 }));
}

/** hv_pci_delete_device(): what device_delete_child() makes of it is not looked at. */
function* removeChild({ pci }: PcibSurroundings, bus: PciBus, child: Child, why: string): Task {
  bus.states.read();
  if (child.pci !== undefined) yield* pci.remove(child.pci);
  yield* bus.children.update((children) => children.filter((each) => each !== child));
  yield* child.memory.free(why);
}

/** pci_devices_present_work(): new functions are asked for their BARs; missing ones are deleted. */
function* onRelations(around: PcibSurroundings, bus: PciBus): Task {
  const functions = yield* bus.reported.exchange(undefined);
  if (functions === undefined) return;
  const { sim } = around.kernel;
  const isSame = (a: Child['description'], b: Child['description']): boolean =>
    a.slot === b.slot && a.vendor === b.vendor && a.device === b.device && a.serial === b.serial;
  const known = yield* bus.children.get();
  const missing = known.filter((child) => !functions.some((each) => isSame(each, child.description)));
  const added: Child[] = [];
  for (const description of functions) {
    if (known.some((child) => isSame(child.description, description))) continue;
    const asked = { name: 'queryResourceRequirements', slot: description.slot } as const;
    if ((yield* askHost(bus.device.channel, asked.name, asked)) === undefined) continue;
    const memory = new KernelMemory(sim, bus.device.dev, 'hv_pci_dev');
    added.push({ description, memory, pci: undefined, ejecting: false });
  }
  yield* bus.children.update((children) => [...children, ...added]);
  for (const child of missing) yield* removeChild(around, bus, child, 'pci_devices_present_work');
  bus.states.read();
  if (!bus.installed) {
    yield* bus.surveyed.resolve('surveyed');
    return;
  }
  for (const child of added) yield* attachChild(around, bus, child);
}

/** vmbus_pcib_detach(). */
function* detach(around: PcibSurroundings, bus: PciBus): Task {
  const { device } = bus;
  for (const child of bus.children.now) yield* removeChild(around, bus, child, 'vmbus_pcib_detach');
  yield* exitD0(device.channel);
  yield* around.vmbus.client.close(device.channel);
  yield* bus.tasks.free();
}

function report({ kernel }: PcibSurroundings, { device }: PciBus, { protocol, problem, what = '' }: Malformed): void {
  const { dev } = device;
  kernel.sim.trace.emit({ kind: 'wire.malformed', from: 'host', protocol, problem, dev, detail: what });
}
