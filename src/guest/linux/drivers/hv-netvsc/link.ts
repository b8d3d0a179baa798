/**
 * Link indications of the host, one every two seconds. Source: drivers/net/hyperv/netvsc_drv.c (netvsc_link_change());
 * reference B.11.
 */
import type { Task } from '../../../../sim/operation.ts';
import type { NetvscNic } from './nic.ts';

export function* linkChangeWork(nic: NetvscNic): Task<undefined> {
  const { kernel, netdev } = nic;
  const spacing = kernel.latency.of('guest.link-change');
  if (!(yield* kernel.net.rtnl.tryLock())) {
    yield* nic.linkChange.schedule(spacing);
    return undefined;
  }
  const wait = nic.lastLinkChange + spacing - kernel.sim.now;
  if (wait > 0) {
    yield* nic.linkChange.schedule(wait);
    yield* kernel.net.rtnl.unlock();
    return undefined;
  }
  const event = nic.linkEvents.shift();
  nic.lastLinkChange = kernel.sim.now;
  switch (event) {
    case 'connect':
      nic.linkUp = true;
      if (netdev.running.now) yield* kernel.linkWatch.carrier(netdev, true);
      break;
    case 'disconnect':
      nic.linkUp = false;
      yield* kernel.linkWatch.carrier(netdev, false);
      break;
    case 'network-change': // down now, and up again when the next turn comes
      yield* kernel.linkWatch.carrier(netdev, false);
      nic.linkEvents.unshift('connect');
      break;
    case undefined:
      break;
  }
  if (nic.linkEvents.length > 0) yield* nic.linkChange.schedule(spacing);
  yield* kernel.net.rtnl.unlock();
  return undefined;
}
