/**
 * A VF belongs in the namespace of its synthetic NIC. Source: drivers/net/hyperv/netvsc_drv.c (netvsc_event_set_vf_ns(),
 * netvsc_register_vf()); reference B.4, B.6. With the move inside of the notifier the namespace's own walk can lose its
 * place (33caa208dba6).
 */
import type { Mutex } from '../../../../sim/mutex.ts';
import type { Task } from '../../../../sim/operation.ts';
import { inLog } from '../../../uapi/errno.ts';
import { fixed, logAbout } from '../../kernel.ts';
import type { Netdev } from '../../netdev.ts';
import { moveToNamespace } from '../../netns.ts';
import type { NetvscNic } from './nic.ts';

/** NETDEV_REGISTER of the NIC itself: it has come, or was moved. */
export function* followMaster(nic: NetvscNic): Task {
  const { kernel } = nic;
  if (!fixed(kernel, 'vf-follows-netns')) return;
  if (fixed(kernel, 'vf-follows-later')) yield* nic.vfNamespace.schedule();
  else yield* follow(nic);
}

export function* vfNamespaceWork(nic: NetvscNic): Task<Mutex | undefined> {
  const { net } = nic.kernel;
  if (!(yield* net.rtnl.tryLock())) return net.rtnl.busy;
  yield* follow(nic);
  yield* net.rtnl.unlock();
  return undefined;
}

function* follow(nic: NetvscNic): Task {
  const vf = nic.vf.now;
  if (vf === undefined || vf.netns === nic.netdev.netns) return;
  yield* bringToMaster(nic, vf, ['Moved VF to namespace with', 'Cannot move to same namespace as']);
}

/** Moves the VF, by another name if its own is taken there; says which of the two sentences came true. */
export function* bringToMaster(nic: NetvscNic, vf: Netdev, [moved, failed]: readonly [string, string]): Task {
  const { kernel, netdev } = nic;
  if (netdev.netns === undefined) return;
  const errno = yield* moveToNamespace(kernel.net, vf, netdev.netns, 'eth%d');
  if (errno === undefined) logAbout(kernel, vf, 'info', `${moved}: ${netdev.name}`);
  else logAbout(kernel, vf, 'err', `${failed} ${netdev.name}: ${inLog(errno)}`);
}
