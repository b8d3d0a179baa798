/**
 * Link indications of the host, one every two seconds. Source: drivers/net/hyperv/netvsc_drv.c (netvsc_link_change());
 * reference B.11. What this leaves out: RESEND_IGMP after NOTIFY_PEERS, speed changes.
 */
import type { Nanoseconds } from '../../../../base/time.ts';
import type { Task } from '../../../../sim/operation.ts';
import type { LinkEvent, NetvscNic } from './nic.ts';

/** One event a turn. What does not change the link's state does nothing, but for a repeated CONNECT. */
export function* linkChangeWork(nic: NetvscNic): Task<undefined> {
  const { kernel } = nic;
  const spacing = kernel.latency.of('guest.link-change');
  if (!(yield* kernel.net.rtnl.tryLock())) {
    yield* nic.linkChange.schedule(spacing);
    return undefined;
  }
  const delay = nic.session.now === undefined ? undefined : yield* takeTurn(nic, spacing);
  yield* kernel.net.rtnl.unlock();
  if (delay !== undefined) yield* nic.linkChange.schedule(delay);
  return undefined;
}

/** How long until the next turn, if one is wanted. */
function* takeTurn(nic: NetvscNic, spacing: Nanoseconds): Task<Nanoseconds | undefined> {
  const { sim } = nic.kernel;
  const wait = nic.lastLinkChange + spacing - sim.now;
  if (wait > 0) return wait;
  nic.lastLinkChange = sim.now;
  const [event] = yield* nic.linkEvents.get();
  if (event === undefined) return undefined;
  const left = yield* nic.linkEvents.update((events) => events.slice(1)); // nobody else takes from it
  const again = yield* serve(nic, event);
  return again || left.length > 0 ? spacing : undefined;
}

/** True when the event left another one in its place. */
function* serve(nic: NetvscNic, event: LinkEvent): Task<boolean> {
  const { kernel, linkUp, netdev } = nic;
  if (event === 'connect') {
    nic.linkUp = true;
    if (linkUp) yield* kernel.net.chain.call('NETDEV_NOTIFY_PEERS', netdev);
    else yield* kernel.linkWatch.carrier(netdev, true);
    return false;
  }
  if (!linkUp) return false;
  nic.linkUp = false;
  yield* kernel.linkWatch.carrier(netdev, false);
  if (event === 'disconnect') return false;
  yield* nic.linkEvents.update((events) => ['connect', ...events]); // down now, up again when the next turn comes
  return true;
}
