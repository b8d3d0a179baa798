/**
 * Links between a master and its slaves, and the handler that takes a slave's frames.
 * Source: net/core/dev.c (netdev_master_upper_dev_link(), netdev_rx_handler_register()), reference A.10.
 * What this leaves out: nesting deeper than one level (a master that is itself a slave is refused with EBUSY).
 */
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import type { Netdev, RxHandler } from './netdev.ts';
import type { Registry } from './registry.ts';

export function* linkToMaster(net: Registry, dev: Netdev, master: Netdev): Task<Errno | undefined> {
  net.rtnl.assertHeld('netdev_master_upper_dev_link');
  const failing = net.faults.strike('netdev_master_upper_dev_link', dev.dev);
  if (failing !== undefined) return failing;
  if (dev === master || master.master !== undefined || dev.slaves.length > 0) return 'EBUSY';
  if (dev.master !== undefined) return dev.master === master ? 'EEXIST' : 'EBUSY';
  const vetoed = yield* net.chain.call('NETDEV_PRECHANGEUPPER', dev);
  if (vetoed !== undefined) return vetoed;
  yield* adjust(net, dev, master);
  const rejected = yield* net.chain.call('NETDEV_CHANGEUPPER', dev);
  if (rejected !== undefined) yield* adjust(net, dev, undefined);
  return rejected;
}

export function* unlinkFromMaster(net: Registry, dev: Netdev): Task {
  net.rtnl.assertHeld('netdev_upper_dev_unlink');
  if (dev.master === undefined) return;
  yield* net.chain.call('NETDEV_PRECHANGEUPPER', dev);
  yield* adjust(net, dev, undefined);
  yield* net.chain.call('NETDEV_CHANGEUPPER', dev);
}

function* adjust(net: Registry, dev: Netdev, master: Netdev | undefined): Task {
  if (master !== undefined) master.slaves.push(dev);
  else dev.master?.slaves.splice(dev.master.slaves.indexOf(dev), 1);
  dev.master = master;
  yield* dev.masterLink.set(master);
  net.sim.trace.emit({ kind: 'netdev.master', dev: dev.dev, master: master?.dev ?? '' });
}

/** One handler a device: EBUSY for the second. */
export function registerRxHandler(dev: Netdev, handler: RxHandler): Errno | undefined {
  if (dev.rxHandler !== undefined) return 'EBUSY';
  dev.rxHandler = handler;
  return undefined;
}
