/**
 * A manager of jails, each with a network stack of its own and one interface in it: for every Ethernet interface that comes
 * and is no NIC of the host's (a VF, an end of an epair) it starts a jail, hands the interface over and brings it up there.
 * It stops the jail when the interface has lost its link, or when its time is over. There are two ways to stop one, and people use both: to remove the jail, and let
 * the kernel send the interface home, or to take the interface back first. Source: rc.d/jail, jail(8) (vnet.interface),
 * ifconfig(8) (vnet, -vnet), by devd's socket; from memory. That it takes VFs, and when it stops a jail, is invented.
 * What this leaves out: everything in a jail but its interface.
 */
import type { DevctlNotice, FreebsdUapi } from '../guest/uapi/freebsd.ts';
import type { GuestCommand } from '../guest/uapi/uapi.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import { HN } from './devd.ts';

/** What goes first when a jail is stopped. */
export type Teardown = 'jail' | 'interface';

export class JailManager {
  private readonly sim: Simulation;
  private readonly uapi: FreebsdUapi;
  private readonly latency: Latency;
  private readonly first: Teardown;

  constructor(sim: Simulation, uapi: FreebsdUapi, latency: Latency, first: Teardown) {
    this.sim = sim;
    this.uapi = uapi;
    this.latency = latency;
    this.first = first;
    sim.spawn('jail manager', 'user', this.run(), { daemon: true });
  }

  private *run(): Task {
    const notices = this.uapi.subscribeDevctl('jail manager');
    for (;;) {
      const notice = yield* notices.take();
      if (notice.system !== 'ETHERNET' || notice.type !== 'IFATTACH' || HN.test(notice.subsystem)) continue;
      this.sim.spawn(`jail of ${notice.subsystem}`, 'user', this.jail(notice));
    }
  }

  /** The life of one jail. What is refused ends it early, and a jail that is there already is somebody else's. */
  private *jail({ subsystem: ifname, dev }: DevctlNotice): Task {
    const name = `jail-${ifname}`;
    yield* this.sim.sleep(this.latency.of('devd.react'), 'the script to begin');
    if (!(yield* this.do(dev, 'jail -c', { do: 'add-netns', name }))) return;
    if (yield* this.do(dev, 'ifconfig vnet', { do: 'move-netns', ifname, to: name })) {
      yield* this.live(dev, ifname, name);
      if (this.first === 'interface') {
        yield* this.do(dev, 'ifconfig -vnet', { do: 'reclaim-netns', ifname, from: name });
        yield* this.sim.sleep(this.latency.of('devd.react'), 'the next command to begin');
      }
    }
    yield* this.do(dev, 'jail -r', { do: 'delete-netns', name });
  }

  /** Until the link of its interface is lost, or its time is over. */
  private *live(dev: string, ifname: string, jail: string): Task {
    const end = new Queue<'time' | 'link'>(this.sim, `end of ${jail}`);
    const watcher = this.sim.spawn(`route monitor in ${jail}`, 'user', this.watch(ifname, jail, end), { daemon: true });
    yield* this.do(dev, 'ifconfig up', { do: 'up', ifname, netns: jail });
    const timer = this.sim.after(this.latency.of('jail.life'), () => end.inject('time'));
    yield* end.take();
    this.sim.cancel(timer);
    this.sim.end(watcher);
  }

  /** Says once that a link was there and is there no more. */
  private *watch(ifname: string, jail: string, end: Queue<'time' | 'link'>): Task {
    const messages = this.uapi.subscribeRouting(`jail manager in ${jail}`, jail);
    for (let wasUp = false; ; ) {
      const { message, link } = yield* messages.take();
      if (message !== 'RTM_IFINFO' || link.ifname !== ifname) continue;
      if (wasUp && link.link === 'down') yield* end.put('link');
      wasUp = link.link === 'up';
    }
  }

  private *do(dev: string, what: string, command: GuestCommand): Task<boolean> {
    const done = yield* this.uapi.execute(command);
    const outcome = done.ok ? 'done' : done.error;
    this.sim.trace.emit({ kind: 'jail', dev, what, outcome });
    return done.ok;
  }
}
