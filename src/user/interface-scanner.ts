/**
 * A program that goes through all interfaces whenever one comes or goes, in the two ways that there are: by the list, as
 * ifconfig(8) does, and by number from 1 to the highest one, as programs do that were written when every number up to it
 * was an interface (ifmcstat(8) among them). What the two find can differ: numbers have holes, and one answers for an
 * interface that is not on the list yet, or no more. Source: ifconfig.c, ifmcstat.c, net/if.c (sysctl_ifcount()), from
 * memory; reference A.14, B.3.
 */
import type { FreebsdUapi } from '../guest/uapi/freebsd.ts';
import type { Task } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';

export class InterfaceScanner {
  private readonly sim: Simulation;
  private readonly uapi: FreebsdUapi;

  constructor(sim: Simulation, uapi: FreebsdUapi) {
    this.sim = sim;
    this.uapi = uapi;
    sim.spawn('interface scanner', 'user', this.run(), { daemon: true });
  }

  private *run(): Task {
    const messages = this.uapi.subscribeRouting('interface scanner');
    for (;;) {
      const { message } = yield* messages.take();
      if (message === 'RTM_IFANNOUNCE') yield* this.scan();
    }
  }

  /** One walk after the other: nothing keeps interfaces from changing meanwhile. */
  private *scan(): Task {
    const listed = yield* this.uapi.listInterfaces();
    const gone: string[] = [];
    for (const ifname of listed) if (!(yield* this.uapi.nameToIndex(ifname)).ok) gone.push(ifname);
    const most = yield* this.uapi.interfaceCount();
    const numbered: string[] = [];
    for (let ifindex = 1; ifindex <= most; ifindex++) {
      const found = yield* this.uapi.indexToName(ifindex);
      if (found.ok) numbered.push(found.value);
    }
    this.sim.trace.emit({
      kind: 'ifscan',
      listed: listed.length,
      most,
      holes: most - numbered.length,
      unlisted: numbered.filter((ifname) => !listed.includes(ifname)).join(' '),
      gone: gone.join(' '),
    });
  }
}
