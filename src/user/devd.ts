/**
 * devd: reads what the kernel tells of its devices, and runs what the rules say. Source: sbin/devd/devd.conf (network
 * interfaces, link changes), sbin/devd/hyperv.conf, libexec/hyperv/hyperv_vfattach (reference E.5); the first from memory.
 * What this leaves out: all other rules, and hyperv_vfup, which makes a lagg(4) of hn and its VF.
 */
import type { DevctlNotice, FreebsdUapi } from '../guest/uapi/freebsd.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';

/** What a rule starts for an interface: rc(8) scripts, but for the last. */
export type DevdAction = 'netif start' | 'netif stop' | 'dhclient start' | 'hyperv_vfattach';

interface Rule {
  readonly system: string;
  readonly type: string;
  readonly action: DevdAction;
}

const RULES: readonly Rule[] = [
  { system: 'IFNET', type: 'ATTACH', action: 'netif start' },
  { system: 'IFNET', type: 'DETACH', action: 'netif stop' },
  { system: 'IFNET', type: 'LINK_UP', action: 'dhclient start' },
  { system: 'ETHERNET', type: 'IFATTACH', action: 'hyperv_vfattach' },
];

/** Whoever takes care of what a rule has started. */
export type DevdListener = (action: DevdAction, ifname: string) => Task;

export class Devd {
  private readonly sim: Simulation;
  private readonly uapi: FreebsdUapi;
  private readonly latency: Latency;
  private readonly listeners: DevdListener[] = [];
  /** hw.hn.vf_transparent as hyperv_vfattach reads it: then it has nothing to do. */
  private readonly isTransparent: boolean;

  constructor(sim: Simulation, uapi: FreebsdUapi, latency: Latency) {
    this.sim = sim;
    this.uapi = uapi;
    this.latency = latency;
    this.isTransparent = uapi.vfTransparent;
    sim.spawn('devd', 'user', this.run(), { daemon: true });
  }

  listen(listener: DevdListener): void {
    this.listeners.push(listener);
  }

  /** One notice after the other; what a rule starts runs in a context of its own. */
  private *run(): Task {
    const notices = this.uapi.subscribeDevctl('devd');
    for (;;) {
      const notice = yield* notices.take();
      for (const rule of RULES) {
        if (rule.system === notice.system && rule.type === notice.type) this.start(rule.action, notice);
      }
    }
  }

  private start(action: DevdAction, { subsystem: ifname, dev }: DevctlNotice): void {
    if (action === 'hyperv_vfattach' && this.isTransparent) return;
    this.sim.spawn(`${action} ${ifname}`, 'user', this.carryOut(action, ifname, dev));
  }

  private *carryOut(action: DevdAction, ifname: string, dev: string): Task {
    yield* this.sim.sleep(this.latency.of('devd.react'), 'the script to begin');
    this.sim.trace.emit({ kind: 'devd', dev, ifname, action });
    if (action === 'hyperv_vfattach') yield* this.bringVfUp(ifname);
    else for (const listener of this.listeners) yield* listener(action, ifname);
  }

  /** The script asks for the MAC of an hn: only a VF that stands beside one is brought up. */
  private *bringVfUp(ifname: string): Task {
    if (HN.test(ifname)) return;
    const links = yield* this.uapi.dumpLinks();
    const own = links.find((link) => link.ifname === ifname);
    const hasHn = links.some((link) => HN.test(link.ifname) && link.mac === own?.mac);
    if (hasHn) yield* this.uapi.execute({ do: 'up', ifname });
  }
}

/** Interfaces of hn(4). */
export const HN = /^hn\d+$/;
