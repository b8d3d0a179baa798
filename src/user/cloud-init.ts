/**
 * cloud-init as an observer: it looks through /sys/class/net when it starts, and again whenever a network device is
 * added, and tells what it would make of it.
 * Source: cloudinit/net/__init__.py for what is read; tools/hook-hotplug for the look after a uevent.
 * What this leaves out: `udevadm settle` before the look (a look here is one look, at the moment of the uevent, when
 * the race is), the data sources, and writing or applying any configuration: it only tells.
 */
import type { LinuxUapi, SysfsAttribute, Uevent } from '../guest/uapi/linux.ts';
import type { Task } from '../sim/operation.ts';
import type { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import { type CloudInitRelease, findNics, judge, type NicScan } from './cloud-init-rules.ts';

/** Starts it; it looks now and at every `add`. */
export function startCloudInit(sim: Simulation, uapi: LinuxUapi, release: CloudInitRelease): void {
  const name = `cloud-init ${release.version}`;
  const uevents = uapi.subscribeUevents(name);
  sim.spawn(name, 'user', run(sim, uapi, release, uevents), { daemon: true });
}

function* run(sim: Simulation, uapi: LinuxUapi, release: CloudInitRelease, uevents: Queue<Uevent>): Task {
  yield* look(sim, uapi, release);
  for (;;) {
    const { action } = yield* uevents.take();
    if (action === 'add') yield* look(sim, uapi, release);
  }
}

function* look(sim: Simulation, uapi: LinuxUapi, release: CloudInitRelease): Task {
  const scan: NicScan[] = [];
  for (const name of yield* uapi.listNet()) scan.push(yield* scanNic(uapi, name));
  const verdict = judge(scan, findNics(release, scan));
  sim.trace.emit({ kind: 'cloud-init', version: release.version, ...verdict });
}

/** Reads one NIC, file by file: what it is may change on the way, and it may go. */
function* scanNic(uapi: LinuxUapi, name: string): Task<NicScan> {
  const path = `/class/net/${name}`;
  const read = (attribute: SysfsAttribute): Task<string | undefined> => readFile(uapi, path, attribute);
  const addrAssignType = yield* read('addr_assign_type');
  const master = yield* uapi.readLink(path, 'master');
  const address = yield* read('address');
  const driver = yield* uapi.readLink(path, 'device/driver');
  return {
    name,
    address,
    addrAssignType,
    driver: driver.ok ? driver.value : undefined,
    hasMaster: master.ok,
    carrier: yield* read('carrier'),
    dormant: yield* read('dormant'),
    operstate: yield* read('operstate'),
  };
}

function* readFile(uapi: LinuxUapi, path: string, attribute: SysfsAttribute): Task<string | undefined> {
  const found = yield* uapi.readAttribute(path, attribute);
  return found.ok ? found.value : undefined;
}
