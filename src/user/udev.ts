/**
 * systemd-udevd as far as network devices show it: for each uevent it evaluates Azure's rule with what the device's
 * attributes are at that moment, names the device, and tells those who listen through libudev.
 * Source: systemd 252 src/udev/udevd.c (events of one device run one after the other, those of different devices side
 * by side), udev-event.c (rename after the rules, then the database, then the message to listeners).
 * What this leaves out: the coldplug of devices that were there before udevd, a limit on workers, time for the rules
 * themselves (only the rename has a row in the latency table), and all other rules.
 */
import type { LinuxUapi, Uevent } from '../guest/uapi/linux.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import { type NetNames, netNames, policyName } from './net-names.ts';
import { AZURE_UNMANAGED_SRIOV, matches, type UdevRule } from './udev-rules.ts';

/** What a libudev monitor hears when udevd is through with a uevent: the device with its properties. */
export interface UdevMessage {
  readonly action: Uevent['action'];
  readonly ifindex: number;
  readonly ifname: string;
  readonly dev: string;
  readonly properties: Readonly<Record<string, string>>;
}

export class Udev {
  private readonly sim: Simulation;
  private readonly uapi: LinuxUapi;
  private readonly latency: Latency;
  private readonly rule: UdevRule;
  private readonly listeners: Queue<UdevMessage>[] = [];
  private readonly database = new Map<number, UdevMessage>();

  constructor(sim: Simulation, uapi: LinuxUapi, latency: Latency, rule: UdevRule = AZURE_UNMANAGED_SRIOV) {
    this.sim = sim;
    this.uapi = uapi;
    this.latency = latency;
    this.rule = rule;
    const uevents = uapi.subscribeUevents('udevd');
    sim.spawn('udevd', 'user', this.dispatch(uevents), { daemon: true });
  }

  /** A queue of its own that gets every processed event from now on. */
  subscribe(name: string): Queue<UdevMessage> {
    const queue = new Queue<UdevMessage>(this.sim, name);
    this.listeners.push(queue);
    return queue;
  }

  /** What /run/udev/data holds for a device: what the last event left. For reports; programs listen. */
  properties(ifindex: number): Readonly<Record<string, string>> | undefined {
    return this.database.get(ifindex)?.properties;
  }

  /** Hands each uevent to the worker of its device, so that no device waits for another. */
  private *dispatch(uevents: Queue<Uevent>): Task {
    const workers = new Map<number, Queue<Uevent>>();
    for (;;) {
      const uevent = yield* uevents.take();
      let mine = workers.get(uevent.ifindex);
      if (mine === undefined) {
        mine = new Queue(this.sim, `udev events ${uevent.ifindex}`);
        workers.set(uevent.ifindex, mine);
        this.sim.spawn(`udev-worker ${uevent.ifindex}`, 'user', this.work(mine), { daemon: true });
      }
      if (uevent.action === 'remove') workers.delete(uevent.ifindex);
      yield* mine.put(uevent);
    }
  }

  private *work(uevents: Queue<Uevent>): Task {
    for (;;) {
      const uevent = yield* uevents.take();
      if (uevent.action === 'remove') {
        const { action, ifindex, ifname, dev } = uevent;
        this.database.delete(ifindex);
        yield* this.tell({ action, ifindex, ifname, dev, properties: { INTERFACE: ifname } });
        return;
      }
      yield* this.process(uevent);
    }
  }

  private *process(uevent: Uevent): Task {
    const marks = yield* this.evaluate(uevent);
    const location = yield* this.uapi.pciLocation(uevent.devpath);
    const names = netNames(location.ok ? location.value : undefined);
    const ifname = yield* this.rename(uevent, names);
    const { action, ifindex, dev } = uevent;
    const properties = { INTERFACE: ifname, ...nameProperties(names), ...marks };
    const message: UdevMessage = { action, ifindex, ifname, dev, properties };
    this.database.set(ifindex, message);
    yield* this.tell(message);
  }

  /** The rule's properties, or none. Each access sees the device as it is then; one that is gone matches nothing. */
  private *evaluate(uevent: Uevent): Task<Readonly<Record<string, string>>> {
    const flags = yield* this.uapi.readAttribute(uevent.devpath, 'flags');
    let unmanaged = false;
    if (flags.ok && matches(this.rule.flags, flags.value)) {
      const driver = yield* this.uapi.readLink(uevent.devpath, 'device/driver');
      unmanaged = driver.ok && matches(this.rule.drivers, driver.value);
    }
    this.sim.trace.emit({
      kind: 'udev.rule',
      dev: uevent.dev,
      ifname: uevent.ifname,
      flags: flags.ok ? Number(flags.value) : 0,
      unmanaged,
      rule: this.rule.file,
    });
    return unmanaged ? this.rule.sets : {};
  }

  /** Renames a device that is new and gives the name that it has then. */
  private *rename(uevent: Uevent, names: NetNames | undefined): Task<string> {
    if (uevent.action !== 'add' || names === undefined) return uevent.ifname;
    const assigned = yield* this.uapi.readAttribute(uevent.devpath, 'name_assign_type');
    const wanted = policyName(names, assigned.ok ? assigned.value : undefined);
    if (wanted === undefined || wanted === uevent.ifname) return uevent.ifname;
    yield* this.sim.sleep(this.latency.of('udev.rename'), 'the rename');
    const { ifname, ifindex } = uevent;
    const renamed = yield* this.uapi.execute({ do: 'rename', ifname, ifindex, to: wanted });
    this.sim.trace.emit({
      kind: 'udev.name',
      dev: uevent.dev,
      from: uevent.ifname,
      to: wanted,
      outcome: renamed.ok ? 'ok' : renamed.error,
    });
    return renamed.ok ? wanted : uevent.ifname;
  }

  private *tell(message: UdevMessage): Task {
    for (const listener of this.listeners) yield* listener.put(message);
  }
}

function nameProperties(names: NetNames | undefined): Readonly<Record<string, string>> {
  if (names === undefined) return {};
  const { path: ID_NET_NAME_PATH, slot: ID_NET_NAME_SLOT } = names;
  return ID_NET_NAME_SLOT === undefined ? { ID_NET_NAME_PATH } : { ID_NET_NAME_PATH, ID_NET_NAME_SLOT };
}
