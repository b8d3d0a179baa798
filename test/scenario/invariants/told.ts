/** Events in short, and what an invariant finds in a made-up sequence of them. */
import { ms } from '../../../src/base/time.ts';
import { Watch } from '../../../src/scenario/invariants/watch.ts';
import type { EventBody, EventFields, EventKind, Path } from '../../../src/trace/event.ts';
import { keep, Recorder } from '../../../src/trace/recorder.ts';

export const MAC = '00:0d:3a:12:34:56';
export const OTHER = '00:0d:3a:12:34:57';

/** A sequence that breaks an invariant, with what is found; and one that nearly does. */
export interface Story {
  readonly broken: Script;
  readonly found: string;
  readonly held: Script;
}

/** One event a millisecond; a number is a pause of so many. */
export type Script = readonly (EventBody | number)[];

/** What the invariant finds: `device: finding (step of the earlier moment)`. */
export function watch(name: string, script: Script, isTimed = true): readonly string[] {
  const recorder = new Recorder();
  let step = 0;
  let time = 0;
  recorder.stampedBy(() => ({ time, step, context: 'test' }));
  const events = keep(recorder);
  const watching = new Watch(recorder, [name], () => isTimed);
  for (const body of script) {
    step++;
    time += typeof body === 'number' ? ms(body) : ms(1);
    // The recorder stamps what it is given, and a story is watched more than once.
    if (typeof body !== 'number') recorder.emit({ ...body });
  }
  watching.rest();
  return events.flatMap((event) => {
    if (event.kind === 'invariant.violated') return [`${event.dev}: ${event.found} (step ${event.sinceStep})`];
    return event.kind === 'invariant.exempt' ? [`exempt ${event.dev}: ${event.why}`] : [];
  });
}

export const told = <K extends EventKind>(kind: K, fields: EventFields[K]): EventBody =>
  ({ kind, ...fields }) as unknown as EventBody;

// -- registry --

export const state = (dev: string, to: string, mac = MAC): EventBody => {
  const ifindex = dev === 'nic1' ? 2 : 3;
  return told('netdev.state', { dev, state: to, ifname: `eth${ifindex}`, ifindex, mac });
};
export const registered = (dev: string, mac = MAC): EventBody[] => [
  state(dev, 'post-init', mac),
  state(dev, 'registered', mac),
];
export const visible = (
  dev: string,
  channel: string,
  flags: number,
  ifname = `eth-${dev}`,
  ifindex = dev.length,
): EventBody => told('netdev.visible', { dev, channel, visible: true, ifname, ifindex, flags });
export const uevent = (dev: string, flags: number, ifname = `eth-${dev}`, action = 'add'): EventBody =>
  told('uevent', { action, dev, ifname, ifindex: 3, flags });
export const flags = (dev: string, value: number, gained = '', lost = ''): EventBody =>
  told('netdev.flags', { dev, flags: value, gained, lost });
export const master = (dev: string, of: string): EventBody => told('netdev.master', { dev, master: of });
export const renamed = (dev: string, to: string): EventBody => told('netdev.renamed', { dev, from: 'x', to });
export const moved = (dev: string, to: string, ifname = 'eth1', ifindex = 3): EventBody =>
  told('netdev.netns', { dev, from: 'init_net', to, ifname, ifindex });
export const newlink = (dev: string, message: 'RTM_NEWLINK' | 'RTM_DELLINK' = 'RTM_NEWLINK'): EventBody =>
  told('rtnetlink', { message, dev, ifname: 'eth1', ifindex: 3, flags: 0, master: '', cause: '' });
export const heard = (event: string, dev = 'nic1.vf', notifier = 'hv_netvsc'): EventBody =>
  told('notifier', { event: `NETDEV_${event}`, dev, notifier, verdict: 'done' });
export const address = (dev: string, held = true): EventBody => told('ipv6.address', { dev, address: 'fe80::1', held });

// -- hv_netvsc and its host --

export const listed = (nic = 'nic1', mac = MAC, yes = true): EventBody =>
  told('netvsc.listed', { nic, mac, listed: yes });
export const joined = (dev: string, yes = true): EventBody => told('netvsc.vf', { nic: 'nic1', dev, joined: yes });
export const hostPath = (path: Path): EventBody => told('host.datapath', { nic: 'nic1', path, why: '' });
export const guestPath = (path: Path): EventBody => told('guest.datapath', { nic: 'nic1', path });
export const nvsp = (from: 'host' | 'guest', name: string, detail = ''): EventBody =>
  told('nvsp.message', { from, name, nic: 'nic1', detail });
export const asks = (path: Path): EventBody =>
  nvsp('guest', 'switchDataPath', `activeDataPath=${path === 'vf' ? 1 : 0}`);
export const answers = nvsp('host', 'completion', 'empty');
export const associates = (allocated = 1, serial = 1): EventBody =>
  nvsp('host', 'sendVfAssociation', `allocated=${allocated} serial=${serial}`);
export const vpci = (from: 'host' | 'guest', name: string): EventBody =>
  told('vpci.message', { from, name, dev: 'nic1.vf', detail: '' });
export const vmbus = (from: 'host' | 'guest', name: string, dev = 'nic1.vf'): EventBody =>
  told('vmbus.message', { from, name, dev, detail: '' });
export const bound = (driver: string, yes = true, dev = 'nic1.vf'): EventBody =>
  told('driver.bound', { dev, driver, bound: yes });
export const hung = (operation: string, object: string, heldBy = ''): EventBody =>
  told('task.hung', { task: 'worker', operation, object, heldBy, forEver: false, since: 0, sinceStep: 7 });

// -- user mode --

export const lease = (dev: string, held = true): EventBody =>
  told('lease', { dev, mac: MAC, address: '10.0.0.4', held });
