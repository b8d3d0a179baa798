/**
 * Which synthetic NIC owns a VF, and how the VF joins it and leaves. Source: drivers/net/hyperv/netvsc_drv.c
 * (get_netvsc_byslot(), netvsc_prepare_bonding(), netvsc_register_vf(), netvsc_vf_join(), netvsc_unregister_vf());
 * reference B.5, B.6.
 * What this leaves out: XDP, feature sync, filters on device types that are not modelled (VLAN, bond).
 */
import type { Task } from '../../../../sim/operation.ts';
import { inLog } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/linux.ts';
import { setFlags } from '../../device.ts';
import { fixed, type LinuxKernel, logAbout } from '../../kernel.ts';
import { IFF_NO_ADDRCONF, type Netdev } from '../../netdev.ts';
import { linkToMaster, registerRxHandler, unlinkFromMaster } from '../../upper.ts';
import { bringToMaster } from './namespace.ts';
import type { NetvscNic, NicList } from './nic.ts';

/** Register context: in a notifier the take-over waits for udev; in the probe it is done at once. */
export type RegisterContext = 'in-notifier' | 'in-probe';

/** get_netvsc_byslot(): by serial number and permanent address first, then by address alone. */
export function* findNic(kernel: LinuxKernel, list: NicList, vf: Netdev): Task<NetvscNic | undefined> {
  const pci = vf.parent?.pci;
  if (pci === undefined) return undefined;
  const slot = pci.slotName();
  if (slot === undefined) {
    logAbout(kernel, vf, 'notice', 'no PCI slot information');
    return undefined;
  }
  if (!/^\d{1,10}$/.test(slot) || Number(slot) > 0xffff_ffff) {
    logAbout(kernel, vf, 'notice', `Invalid vf serial:${slot}`);
    return undefined;
  }
  const serial = Number(slot);
  for (const nic of list.all()) {
    // The address is looked at first, for nothing comes of the rest where it differs.
    if (nic.netdev.permAddr !== vf.permAddr) continue;
    if ((yield* nic.vfAlloc.get()) !== 0 && (yield* nic.vfSerial.get()) === serial) return nic;
  }
  const byAddress = fixed(kernel, 'mac-fallback') ? list.all().find((nic) => hasAddressOf(kernel, nic, vf)) : undefined;
  if (byAddress === undefined) logAbout(kernel, vf, 'notice', `no netdev found for vf serial:${serial}`);
  return byAddress;
}

/** The current address counts since c807d6cd089d: at POST_INIT the permanent one is not there yet. */
function hasAddressOf(kernel: LinuxKernel, nic: NetvscNic, vf: Netdev): boolean {
  const own = nic.netdev.permAddr;
  if (own === vf.permAddr) return true;
  return fixed(kernel, 'post-init-slave') && own === vf.devAddr;
}

/** netvsc_prepare_bonding(), at NETDEV_POST_INIT: nobody can see the VF yet. */
export function* prepareBonding(kernel: LinuxKernel, list: NicList, vf: Netdev): Task {
  const nic = yield* findNic(kernel, list, vf);
  if (nic !== undefined) yield* markSlave(kernel, vf);
}

/** Neither mark is ever taken away. */
function* markSlave(kernel: LinuxKernel, vf: Netdev): Task {
  if (fixed(kernel, 'no-addrconf')) vf.privFlags |= IFF_NO_ADDRCONF;
  yield* setFlags(kernel.net, vf, vf.flags.now | IFF.SLAVE);
}

/** netvsc_register_vf(): a second VF for the same NIC is ignored without a word. */
export function* registerVf(kernel: LinuxKernel, nic: NetvscNic, vf: Netdev, context: RegisterContext): Task {
  if (nic.session.now === undefined || nic.vf.now !== undefined) return;
  if (vf.netns !== nic.netdev.netns) {
    yield* bringToMaster(nic, vf, ['VF moved to namespace with', 'could not move to same namespace as']);
    return; // the join happens in the REGISTER that the move raises
  }
  logAbout(kernel, nic.netdev, 'info', `VF registering: ${vf.name}`);
  if (!(yield* join(kernel, nic, vf, context))) return;
  yield* vf.references.update((count) => count + 1);
  yield* nic.vf.set(vf);
  kernel.sim.trace.emit({ kind: 'netvsc.vf', nic: nic.dev, dev: vf.dev, joined: true });
  // Wanted features are copied from the synthetic NIC: news to a VF that has never joined one.
  if (!vf.hasFeaturesOfNic) yield* kernel.net.chain.call('NETDEV_FEAT_CHANGE', vf);
  vf.hasFeaturesOfNic = true;
}

/** netvsc_vf_join(). */
function* join(kernel: LinuxKernel, nic: NetvscNic, vf: Netdev, context: RegisterContext): Task<boolean> {
  const failing = kernel.faults.strike('netdev_rx_handler_register', vf.dev);
  const busy = failing ?? registerRxHandler(vf, () => nic.netdev);
  if (busy !== undefined) {
    logAbout(kernel, vf, 'err', `can not register netvsc VF receive handler (err = ${inLog(busy)})`);
    return false;
  }
  const refused = yield* linkToMaster(kernel.net, vf, nic.netdev);
  if (refused !== undefined) {
    logAbout(kernel, vf, 'err', `can not set master device ${nic.netdev.name} (err = ${inLog(refused)})`);
    vf.rxHandler = undefined;
    return false;
  }
  // Until c807d6cd089d this was where user mode's first look at the VF raced with its mark.
  if (!fixed(kernel, 'post-init-slave')) yield* markSlave(kernel, vf);
  if (context === 'in-notifier') yield* nic.vfTakeover.schedule(kernel.latency.of('guest.vf-takeover'));
  yield* kernel.net.chain.call('NETDEV_JOIN', vf);
  logAbout(kernel, vf, 'info', `joined to ${nic.netdev.name}`);
  return true;
}

/** netvsc_unregister_vf(): the path was switched back at GOING_DOWN, if the VF was up. */
export function* unregisterVf(kernel: LinuxKernel, nic: NetvscNic, vf: Netdev): Task {
  if (vf.master !== nic.netdev) return;
  yield* nic.vfTakeover.cancelSync();
  logAbout(kernel, nic.netdev, 'info', `VF unregistering: ${vf.name}`);
  yield* nic.vfAdd.reinit();
  vf.rxHandler = undefined;
  yield* unlinkFromMaster(kernel.net, vf);
  yield* nic.vf.set(undefined);
  kernel.sim.trace.emit({ kind: 'netvsc.vf', nic: nic.dev, dev: vf.dev, joined: false });
  yield* vf.references.update((count) => count - 1);
}
