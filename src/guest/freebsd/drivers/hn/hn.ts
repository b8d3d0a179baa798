/**
 * hn(4) as a module: attach and detach of a NIC, and the events that it listens to.
 * Source: sys/dev/hyperv/netvsc/if_hn.c (hn_attach(), hn_detach()); reference E.1, E.2, E.4.
 * What this leaves out: sub-channels, polling, sysctls but those of the VF map, suspend.
 */
import type { Task } from '../../../../sim/operation.ts';
import type { Path } from '../../../../trace/event.ts';
import { CLASS_GUIDS } from '../../../../wire/vmbus.ts';
import type { Errno } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import { PRIORITY } from '../../kern/eventhandler.ts';
import type { Module } from '../../kern/modules.ts';
import type { FreebsdKernel } from '../../kernel.ts';
import { allocateIfnet, freeIfnet } from '../../net/allocate.ts';
import { etherAttach } from '../../net/attach.ts';
import { detachIfnet } from '../../net/detach.ts';
import { fixed } from '../../net.ts';
import type { Vmbus, VmbusDevice } from '../vmbus.ts';
import { HN_CAPABILITIES } from './capabilities.ts';
import { ioctl, stop } from './control.ts';
import { changeNetwork, endFakeDown, resumeLink, suspendLink, updateLink } from './link.ts';
import { isTransparent } from './matching.ts';
import { onVfAddress, onVfUpDown } from './non-transparent.ts';
import { queryAddress } from './rndis.ts';
import { Hn, type HnBodies, type HnHandlers } from './softc.ts';
import { attachSynthetic, detachSynthetic } from './synthetic.ts';
import { transmit } from './transmit.ts';
import { followVfLink, followVfUpDown, pair, readyTask, unpair } from './vf.ts';
import { VfMap } from './vf-map.ts';

const ETHERMTU = 1500;

/** The module, and what reports may ask it. */
export interface HnModule extends Module {
  /** The path that a frame sent on this NIC takes now. */
  readonly pathOf: (nic: string) => Path;
  /** The scenario's name of the NIC that has taken this interface for its VF. */
  readonly ownerOf: (dev: string) => string | undefined;
}

export function hnModule(kernel: FreebsdKernel, vmbus: Vmbus): HnModule {
  const map = new VfMap(kernel);
  const attached = new Map<VmbusDevice, Hn>();
  const driver = {
    name: 'hn',
    matches: ({ channel }: VmbusDevice) => channel.offer.interfaceType === CLASS_GUIDS.nic,
    *attach(device: VmbusDevice, unit: number): Task<Errno | undefined> {
      const hn = new Hn(kernel, vmbus.client, device, map, BODIES);
      const errno = yield* attach(hn, unit);
      if (errno === undefined) attached.set(device, hn);
      return errno;
    },
    *detach(device: VmbusDevice): Task {
      const hn = attached.get(device);
      attached.delete(device);
      if (hn !== undefined) yield* detach(hn);
    },
  };
  const all = (): readonly Hn[] => [...attached.values()];
  return {
    name: 'hn',
    load: () => vmbus.bus.load(driver),
    unload: () => vmbus.bus.unload(driver),
    pathOf: (nic) => (all().find(({ dev }) => dev === nic)?.vfEnabled.now === true ? 'vf' : 'synthetic'),
    ownerOf: (dev) => all().find(({ vf }) => vf.now?.dev === dev)?.dev,
  };
}

const BODIES: HnBodies = {
  link: updateLink,
  network: changeNetwork,
  networkOver: endFakeDown,
  ready: readyTask,
};

/** hn_attach(): the handlers come last, and nobody looks for a VF that is there already (G-36). */
function* attach(hn: Hn, dunit: number): Task<Errno | undefined> {
  const { net } = hn.kernel;
  const made = yield* allocateIfnet(net, {
    dev: hn.dev,
    type: 'ether',
    dname: 'hn',
    dunit,
    flags: IFF.BROADCAST | IFF.SIMPLEX | IFF.MULTICAST,
    input: hn.kernel.etherInput,
    capabilities: HN_CAPABILITIES,
    methods: { ioctl: (request) => ioctl(hn, request), transmit: (frame) => transmit(hn, frame) },
  });
  if (!made.ok) return made.error;
  hn.ifp = made.value;
  const failed = yield* attachSynthetic(hn, ETHERMTU);
  const mac = failed === undefined ? yield* queryAddress(hn) : undefined;
  if (mac === undefined) {
    yield* detachSynthetic(hn);
    yield* freeIfnet(net, made.value);
    yield* endTasks(hn);
    return failed ?? 'EIO';
  }
  yield* etherAttach(net, made.value, mac);
  yield* resumeLink(hn);
  yield* listen(hn);
  hn.kernel.sim.trace.emit({ kind: 'netvsc.listed', nic: hn.dev, mac, listed: true });
  if (fixed(net, 'hn-scans')) yield* scan(hn);
  return undefined;
}

function* listen(hn: Hn): Task {
  const { events } = hn.kernel.net;
  const own = { name: hn.ifp.name, priority: PRIORITY.ANY } as const;
  const arrival = { ...own, handle: (ifp) => pair(hn, ifp) } satisfies HnHandlers['arrival'];
  const departure = { ...own, handle: (ifp) => unpair(hn, ifp) } satisfies HnHandlers['departure'];
  const more: Partial<HnHandlers> = isTransparent(hn)
    ? {
        link: { ...own, handle: (ifp, state) => followVfLink(hn, ifp, state) },
        ...(fixed(hn.kernel.net, 'hn-hears-down')
          ? { upDown: { ...own, handle: (ifp, code) => followVfUpDown(hn, ifp, code === 'UP') } }
          : {}),
      }
    : {
        upDown: { ...own, handle: (ifp, code) => onVfUpDown(hn, ifp, code) },
        address: { ...own, handle: (ifp) => onVfAddress(hn, ifp) },
      };
  const handlers: HnHandlers = { arrival, departure, ...more };
  hn.handlers = handlers;
  if (handlers.link !== undefined) yield* events.register('ifnet_link_event', handlers.link);
  if (handlers.upDown !== undefined) yield* events.register('ifnet_event', handlers.upDown);
  if (handlers.address !== undefined) yield* events.register('ifaddr_event', handlers.address);
  yield* events.register('ether_ifattach_event', handlers.arrival);
  yield* events.register('ifnet_departure_event', handlers.departure);
}

function* unlisten(hn: Hn): Task {
  const { events } = hn.kernel.net;
  const { handlers } = hn;
  if (handlers === undefined) return;
  hn.handlers = undefined;
  if (handlers.link !== undefined) yield* events.deregister('ifnet_link_event', handlers.link);
  if (handlers.upDown !== undefined) yield* events.deregister('ifnet_event', handlers.upDown);
  if (handlers.address !== undefined) yield* events.deregister('ifaddr_event', handlers.address);
  yield* events.deregister('ether_ifattach_event', handlers.arrival);
  yield* events.deregister('ifnet_departure_event', handlers.departure);
}

/** What no hn does: look at the interfaces that are there, as Linux does. */
function* scan(hn: Hn): Task {
  const { net } = hn.kernel;
  yield* net.epoch.enter();
  const there = yield* net.vnet0.interfaces.all();
  yield* net.epoch.exit();
  for (const ifp of there) if (hn.vf.now === undefined) yield* pair(hn, ifp);
}

/** hn_detach(): the VF is let go of first. */
function* detach(hn: Hn): Task {
  const { net, sim } = hn.kernel;
  yield* unlisten(hn);
  sim.trace.emit({ kind: 'netvsc.listed', nic: hn.dev, mac: hn.ifp.mac, listed: false });
  const vf = hn.vf.now;
  if (vf !== undefined) yield* unpair(hn, vf);
  yield* hn.lock.lock();
  if (hn.session.now !== undefined) {
    if ((hn.ifp.drvFlags.now & IFF.RUNNING) !== 0) yield* stop(hn);
    yield* suspendLink(hn);
    yield* detachSynthetic(hn);
  }
  yield* hn.lock.unlock();
  yield* detachIfnet(net, hn.ifp);
  if (fixed(net, 'hn-waits-for-senders')) yield* net.epoch.wait();
  yield* endTasks(hn);
  yield* hn.memory.free('hn_detach');
  yield* freeIfnet(net, hn.ifp);
}

function* endTasks(hn: Hn): Task {
  for (const task of [hn.linkTask, hn.networkTask, hn.networkOverTask, hn.readyTask]) {
    yield* task.cancelSync();
    yield* task.retire();
  }
}
