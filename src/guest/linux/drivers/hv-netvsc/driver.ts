/**
 * hv_netvsc as a module: load and unload, probe and remove of a NIC, the notifier, open and close.
 * Source: drivers/net/hyperv/netvsc_drv.c (reference B.2, B.3, B.6, B.9).
 * What this leaves out: suspend and resume, ethtool, ring parameters, MAC changes, statistics; the use after free when a
 * link indication comes between netvsc_remove()'s cancel and the end of NAPI (the work is cancelled again here);
 * netvsc_wait_until_empty(), which before a close polls the rings until both are empty.
 */

import type { Task } from '../../../../sim/operation.ts';
import type { Path } from '../../../../trace/event.ts';
import { NVSP_VERSIONS } from '../../../../wire/nvsp.ts';
import { PACKET_FILTER } from '../../../../wire/oid.ts';
import { CLASS_GUIDS } from '../../../../wire/vmbus.ts';
import { type Errno, inLog } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/linux.ts';
import { closeDevice, openDevice, setAllmulti, setMtu, setPromiscuity } from '../../device.ts';
import { fixed, type LinuxKernel, log, logAbout } from '../../kernel.ts';
import type { Module } from '../../modules.ts';
import type { Netdev } from '../../netdev.ts';
import type { NetdevEvent, NotifierBlock, Verdict } from '../../notifier.ts';
import type { HvDevice, HvDriver } from '../../vmbus-core.ts';
import { setUpVf, takeoverWork, vfChanged } from './datapath.ts';
import { linkChangeWork } from './link.ts';
import { followMaster, vfNamespaceWork } from './namespace.ts';
import { NetvscNic, NicList } from './nic.ts';
import { haltRndis, initializeRndis, setPacketFilter } from './rndis.ts';
import { closeSession, openSession } from './session.ts';
import { carriesByVf, startXmit } from './transmit.ts';
import { findNic, prepareBonding, registerVf, unregisterVf } from './vf.ts';

/** NETVSC_MTU: from NVSP 2 on; 1500 before. */
const MTU_MAX = 65521;
const MTU_MAX_LEGACY = 1500;
/** What an open NIC receives (rndis_filter_open()). */
const FILTER_OPEN = PACKET_FILTER.directed | PACKET_FILTER.allMulticast | PACKET_FILTER.broadcast;

/** The module, and what a report may ask it. */
export interface HvNetvsc extends Module {
  /** The path that a frame sent on this NIC takes now. */
  readonly pathOf: (nic: string) => Path;
}

/** What the module registers when it is loaded. */
export interface NetvscParts {
  readonly notifier: NotifierBlock;
  readonly driver: HvDriver;
}

/** Gives a variant of the module other parts; those that it gets are the module's own, with the list of its NICs. */
export type NetvscChange = (parts: NetvscParts, list: NicList) => NetvscParts;

/** Each machine has one of its own. */
export function hvNetvsc(kernel: LinuxKernel, change: NetvscChange = (parts) => parts): HvNetvsc {
  const list = new NicList();
  const { notifier, driver } = change(ownParts(kernel, list), list);
  return {
    name: 'hv_netvsc',
    pathOf(name) {
      const nic = list.all().find((each) => each.dev === name);
      return nic !== undefined && carriesByVf(nic) ? 'vf' : 'synthetic';
    },
    load: () => load(kernel, notifier, driver),
    unload: () => unload(kernel, notifier, driver),
  };
}

function* load(kernel: LinuxKernel, notifier: NotifierBlock, driver: HvDriver): Task {
  if (fixed(kernel, 'notifier-before-driver')) {
    yield* kernel.net.addNotifier(notifier);
    yield* kernel.vmbusCore.drivers.register(driver);
  } else {
    yield* kernel.vmbusCore.drivers.register(driver);
    yield* kernel.net.addNotifier(notifier);
  }
}

function* unload(kernel: LinuxKernel, notifier: NotifierBlock, driver: HvDriver): Task {
  yield* kernel.net.removeNotifier(notifier);
  yield* kernel.vmbusCore.drivers.unregister(driver);
}

function ownParts(kernel: LinuxKernel, list: NicList): NetvscParts {
  const nics = new Map<HvDevice, NetvscNic>();
  return {
    notifier: {
      name: 'hv_netvsc',
      priority: 0,
      notify: (event, dev) => onNetdevEvent(kernel, list, event, dev),
    },
    driver: {
      name: 'hv_netvsc',
      interfaceType: CLASS_GUIDS.nic,
      probe: (device) => probe(kernel, list, nics, device),
      remove: (device) => remove(kernel, list, nics, device),
    },
  };
}

/** netvsc_netdev_event(): netvsc's own devices and what no VF can be are not looked at. No event is ever vetoed. */
function* onNetdevEvent(kernel: LinuxKernel, list: NicList, event: NetdevEvent, dev: Netdev): Task<Verdict> {
  if (dev.parent?.bus === 'vmbus') {
    const own = list.all().find((nic) => nic.netdev === dev);
    if (event === 'NETDEV_REGISTER' && own !== undefined) yield* followMaster(own);
    return 'done';
  }
  switch (event) {
    case 'NETDEV_POST_INIT':
      if (fixed(kernel, 'post-init-slave')) yield* prepareBonding(kernel, list, dev);
      return 'done';
    case 'NETDEV_REGISTER': {
      const nic = yield* findNic(kernel, list, dev);
      if (nic !== undefined) yield* registerVf(kernel, nic, dev, 'in-notifier');
      return 'done';
    }
    case 'NETDEV_UNREGISTER': {
      const nic = masterOf(list, dev);
      if (nic !== undefined) yield* unregisterVf(kernel, nic, dev);
      return 'done';
    }
    case 'NETDEV_UP':
    case 'NETDEV_DOWN':
    case 'NETDEV_CHANGE':
    case 'NETDEV_GOING_DOWN': {
      const nic = masterOf(list, dev);
      if (nic !== undefined) yield* vfChanged(nic, dev, event);
      return 'done';
    }
    default:
      return 'done';
  }
}

/** get_netvsc_byref(): the NIC that is the device's master. */
const masterOf = (list: NicList, dev: Netdev): NetvscNic | undefined =>
  dev.master === undefined ? undefined : list.all().find((nic) => nic.netdev === dev.master);

/** netvsc_probe(), in the context of whoever brought device and driver together. */
function* probe(
  kernel: LinuxKernel,
  list: NicList,
  nics: Map<HvDevice, NetvscNic>,
  device: HvDevice,
): Task<Errno | undefined> {
  const nic = new NetvscNic(kernel, device, (self) => ({
    vfTakeover: () => takeoverWork(self),
    linkChange: () => linkChangeWork(self),
    vfNamespace: () => vfNamespaceWork(self),
    netdev: {
      open: () => open(self),
      stop: () => stop(self),
      startXmit: (frame) => startXmit(self, frame),
      changeMtu: (mtu) => changeMtu(self, mtu),
      changeRxFlags: (changed) => changeRxFlags(self, changed),
    },
  }));
  const early = fixed(kernel, 'rtnl-before-rndis');
  if (early) yield* kernel.net.rtnl.lock();
  const attached = yield* attach(nic);
  if (!early) yield* kernel.net.rtnl.lock();
  const errno = attached ?? (yield* register(kernel, list, nic));
  yield* kernel.net.rtnl.unlock();
  if (errno !== undefined) return errno;
  nics.set(device, nic);
  return undefined;
}

/** Brings the session up, and gives the network device what RNDIS says of it. */
function* attach(nic: NetvscNic): Task<Errno | undefined> {
  const { kernel } = nic;
  const session = yield* openSession(nic);
  if (!session.ok) {
    log(kernel, nic.dev, 'err', `unable to add netvsc device (ret ${inLog(session.error)})`);
    return session.error;
  }
  yield* nic.session.set(session.value);
  yield* nic.sends.open(session.value.send.sections);
  const rndis = yield* initializeRndis(nic, session.value);
  if (rndis === undefined) {
    yield* detach(nic);
    log(kernel, nic.dev, 'err', `unable to add netvsc device (ret ${inLog('EINVAL')})`);
    return 'EINVAL';
  }
  nic.linkUp = rndis.linkUp;
  nic.netdev.devAddr = rndis.mac;
  nic.netdev.mtuMax = session.value.version >= NVSP_VERSIONS['2'] ? MTU_MAX : MTU_MAX_LEGACY;
  return yield* reopen(nic);
}

/** The second half of netvsc_attach(): a NIC that is up receives again, and its carrier is lost for a moment. */
function* reopen(nic: NetvscNic): Task<Errno | undefined> {
  const { kernel, netdev } = nic;
  yield* kernel.linkWatch.carrier(netdev, false);
  if (!netdev.running.now) return undefined;
  if (!(yield* setPacketFilter(nic, FILTER_OPEN))) {
    yield* detach(nic);
    return 'EIO';
  }
  if (nic.linkUp) yield* kernel.linkWatch.carrier(netdev, true);
  return undefined;
}

/** The second half of the probe, under the RTNL: from here on the world can see the NIC. */
function* register(kernel: LinuxKernel, list: NicList, nic: NetvscNic): Task<Errno | undefined> {
  const errno = yield* kernel.net.register(nic.netdev);
  if (errno !== undefined) {
    log(kernel, nic.dev, 'err', 'Unable to register netdev.');
    yield* detach(nic);
    return errno;
  }
  list.add(nic);
  if (!fixed(kernel, 'probe-vf-scan')) return undefined;
  for (const dev of kernel.net.init.devices) {
    // A VF that has joined another NIC matches that one, and without a word in the log.
    if (dev.parent?.bus === 'vmbus' || (dev.master !== undefined && dev.permAddr !== nic.netdev.permAddr)) continue;
    if ((yield* findNic(kernel, list, dev)) !== nic) continue;
    yield* prepareBonding(kernel, list, dev);
    yield* registerVf(kernel, nic, dev, 'in-probe');
    yield* setUpVf(nic, dev); // whatever became of the join: netvsc_probe() does not look
    break;
  }
  return undefined;
}

/** netvsc_remove(). A joined VF stays registered, without its master, and with IFF_SLAVE still set. */
function* remove(kernel: LinuxKernel, list: NicList, nics: Map<HvDevice, NetvscNic>, device: HvDevice): Task {
  const nic = nics.get(device);
  if (nic === undefined) return;
  nics.delete(device);
  yield* nic.linkChange.cancelSync();
  yield* kernel.net.rtnl.lock();
  yield* nic.vfNamespace.cancelSync(); // its body only tries the lock
  const vf = nic.vf.now;
  if (vf !== undefined) yield* unregisterVf(kernel, nic, vf);
  yield* detach(nic);
  yield* kernel.net.unregister(nic.netdev);
  list.remove(nic);
  yield* kernel.net.rtnl.unlock();
  yield* nic.linkChange.cancelSync(); // an indication may have come until NAPI ended
  yield* nic.linkChange.retire();
  yield* nic.vfTakeover.retire();
  yield* nic.vfNamespace.retire();
}

/**
 * rndis_filter_device_remove(): halt, then the session ends. Between the two, and under the RTNL, every frame that is on
 * its way is waited for; on a channel that the host has taken back that is for ever.
 */
function* detach(nic: NetvscNic): Task {
  const session = nic.session.now;
  if (session === undefined) return;
  yield* haltRndis(nic);
  yield* nic.sends.destroy();
  yield* nic.sends.drained();
  nic.filter = 0;
  yield* closeSession(nic, session);
}

/** netvsc_open(): filter, carrier, then the VF that follows. */
function* open(nic: NetvscNic): Task<Errno | undefined> {
  const { kernel, netdev } = nic;
  yield* kernel.linkWatch.carrier(netdev, false); // closing has left it as it was
  if (!(yield* setPacketFilter(nic, FILTER_OPEN))) {
    logAbout(kernel, netdev, 'err', `unable to open device (ret ${inLog('EIO')}).`);
    return 'EIO';
  }
  if (nic.linkUp) yield* kernel.linkWatch.carrier(netdev, true);
  const vf = nic.vf.now;
  if (vf === undefined) return undefined;
  const failed = yield* openDevice(kernel.net, vf);
  if (failed !== undefined) logAbout(kernel, netdev, 'warn', `unable to open slave: ${vf.name}: ${inLog(failed)}`);
  return undefined;
}

/** netvsc_close(): the VF is closed last, and by that the path is switched back. */
function* stop(nic: NetvscNic): Task {
  if (nic.session.now === undefined) return;
  yield* setPacketFilter(nic, 0);
  const vf = nic.vf.now;
  if (vf !== undefined) yield* closeDevice(nic.kernel.net, vf);
}

/** netvsc_change_rx_flags(): the VF takes what its NIC takes. */
function* changeRxFlags({ kernel, netdev, vf }: NetvscNic, changed: number): Task {
  const joined = vf.now;
  if (joined === undefined) return;
  const by = (flag: number): 1 | -1 => ((netdev.flags.now & flag) !== 0 ? 1 : -1);
  if ((changed & IFF.PROMISC) !== 0) yield* setPromiscuity(kernel.net, joined, by(IFF.PROMISC));
  if ((changed & IFF.ALLMULTI) !== 0) yield* setAllmulti(kernel.net, joined, by(IFF.ALLMULTI));
}

/** netvsc_change_mtu(): the VF first, then the whole session is taken down and brought up again. */
function* changeMtu(nic: NetvscNic, mtu: number): Task<Errno | undefined> {
  const { kernel, netdev } = nic;
  if (nic.session.now === undefined) return 'ENODEV';
  const vf = nic.vf.now;
  if (vf !== undefined) {
    const errno = yield* setMtu(kernel.net, vf, mtu);
    if (errno !== undefined) return errno;
  }
  const before = netdev.mtu;
  yield* detach(nic);
  netdev.mtu = mtu; // the new session tells it to the host
  const errno = yield* attach(nic);
  if (errno === undefined) return undefined;
  netdev.mtu = before;
  if ((yield* attach(nic)) !== undefined) logAbout(kernel, netdev, 'err', 'restoring mtu failed');
  if (vf !== undefined) yield* setMtu(kernel.net, vf, before);
  return errno;
}
