/** A guest whose devices a test sets as it likes: what user mode sees, without a kernel behind it. */
import { known } from '../../src/base/assert.ts';
import { type MacAddress, mac } from '../../src/base/mac.ts';
import { err, ok, type Result } from '../../src/base/result.ts';
import type { Errno } from '../../src/guest/uapi/errno.ts';
import type { LinuxUapi, PciLocation, SysfsAttribute, SysfsLink, Uevent } from '../../src/guest/uapi/linux.ts';
import type { GuestCommand, LinkInfo, LinkMessage, PacketSocket } from '../../src/guest/uapi/uapi.ts';
import { Operation, type Peek, SharedObject, type Task } from '../../src/sim/operation.ts';
import { Queue } from '../../src/sim/queue.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import type { Event, EventKind, EventOf } from '../../src/trace/event.ts';
import { keep } from '../../src/trace/recorder.ts';

export const NIC_MAC = mac('00:0d:3a:12:34:56');

export interface FakeDevice {
  readonly dev: string;
  readonly ifindex: number;
  ifname: string;
  mac: MacAddress;
  driver: string;
  flags: number;
  carrier: boolean;
  master: number;
  nameAssignType: string | undefined;
  location: PciLocation | undefined;
}

/** A synthetic NIC that is down, as hv_netvsc registers it. */
export const SYNTHETIC: FakeDevice = {
  dev: 'nic1',
  ifindex: 2,
  ifname: 'eth0',
  mac: NIC_MAC,
  driver: 'hv_netvsc',
  flags: 0x1002,
  carrier: false,
  master: 0,
  nameAssignType: '1',
  location: undefined,
};

/** Its VF, before anything has happened to it. */
export const VF: FakeDevice = {
  ...SYNTHETIC,
  dev: 'nic1.vf',
  ifindex: 3,
  ifname: 'eth1',
  driver: 'mlx5_core',
  location: { domain: 1, bus: 0, device: 2, function: 0, slot: '1' },
};

class Anything extends SharedObject {
  does<T>(kind: string, what: () => T): Operation<T> {
    return new Operation(this, kind, what);
  }

  enabled(): boolean {
    return true;
  }

  perform(operation: Operation): unknown {
    return (operation.arg as () => unknown)();
  }

  peek(): Peek {
    return 0;
  }
}

export class FakeGuest implements LinuxUapi {
  readonly sim = new Simulation();
  readonly events: readonly Event[] = keep(this.sim.trace);
  readonly commands: string[] = [];
  /** What a command answers instead of doing it. */
  readonly refusals = new Map<GuestCommand['do'], Errno>();
  /** What the network does with a frame that a device sends: the frames that come back to it, and when. */
  network: (frame: Uint8Array) => readonly { readonly after: number; readonly frame: Uint8Array }[] = () => [];
  private readonly kernel = new Anything(this.sim, 'kernel');
  private readonly devices: FakeDevice[] = [];
  private readonly uevents: Queue<Uevent>[] = [];
  private readonly links: Queue<LinkMessage>[] = [];
  private readonly sockets: { readonly of: FakeDevice; readonly received: Queue<Uint8Array> }[] = [];

  // -- what the test does --

  /** A device appears: uevent first, link message behind it. */
  plug(template: FakeDevice, changes: Partial<FakeDevice> = {}): FakeDevice {
    const device = { ...template, ...changes };
    this.devices.push(device);
    this.emit('add', device);
    this.notify(device);
    return device;
  }

  unplug(device: FakeDevice): void {
    this.devices.splice(this.devices.indexOf(device), 1);
    this.emit('remove', device);
    for (const queue of this.links) queue.inject(messageOf('del', device));
  }

  /** The device changes, and the kernel sends a link message about it. */
  change(device: FakeDevice, changes: Partial<FakeDevice>): void {
    Object.assign(device, changes);
    this.notify(device);
  }

  /** Runs until nothing happens any more, or for a span. */
  run(span = Number.MAX_SAFE_INTEGER): void {
    this.sim.run({ until: Math.min(Number.MAX_SAFE_INTEGER, this.sim.now + span) });
  }

  told<K extends EventKind>(kind: K): readonly EventOf<K>[] {
    return this.events.filter((event) => event.kind === kind) as unknown as readonly EventOf<K>[];
  }

  // -- what user mode sees --

  subscribeUevents(name: string): Queue<Uevent> {
    const queue = new Queue<Uevent>(this.sim, name);
    this.uevents.push(queue);
    return queue;
  }

  subscribeLinks(name: string): Queue<LinkMessage> {
    const queue = new Queue<LinkMessage>(this.sim, name);
    this.links.push(queue);
    return queue;
  }

  listNet(): Operation<readonly string[]> {
    return this.kernel.does('list', () => this.devices.map(({ ifname }) => ifname));
  }

  *dumpLinks(): Task<readonly LinkInfo[]> {
    return yield* this.kernel.does('dump', () => this.devices.map(linkOf));
  }

  *readAttribute(path: string, attribute: SysfsAttribute): Task<Result<string, Errno>> {
    return yield* this.kernel.does(`read ${attribute}`, (): Result<string, Errno> => {
      const device = this.at(path);
      if (device === undefined) return err('ENOENT');
      const text = attributeOf(device, attribute);
      return text === undefined ? err('EINVAL') : ok(text);
    });
  }

  *readLink(path: string, link: SysfsLink): Task<Result<string, Errno>> {
    return yield* this.kernel.does(`readlink ${link}`, (): Result<string, Errno> => {
      const device = this.at(path);
      const target = device === undefined ? undefined : this.targetOf(device, link);
      return target === undefined ? err('ENOENT') : ok(target);
    });
  }

  *pciLocation(path: string): Task<Result<PciLocation | undefined, Errno>> {
    return yield* this.kernel.does('pci', (): Result<PciLocation | undefined, Errno> => {
      const device = this.at(path);
      return device === undefined ? err('ENOENT') : ok(device.location);
    });
  }

  *execute(command: GuestCommand): Task<Result<void, Errno>> {
    return yield* this.kernel.does(command.do, () => this.perform(command));
  }

  openPacket(ifname: string, name: string): Operation<Result<PacketSocket, Errno>> {
    return this.kernel.does('open', () => {
      const device = this.devices.find((one) => one.ifname === ifname);
      return device === undefined ? err('ENODEV') : ok(this.socketOn(device, name));
    });
  }

  sysfsTree(): readonly never[] {
    return [];
  }

  // -- behind it --

  private socketOn(device: FakeDevice, name: string): PacketSocket {
    const socket = { of: device, received: new Queue<Uint8Array>(this.sim, name) };
    const { kernel, devices, sockets } = this;
    const transmit = (frame: Uint8Array): void => {
      for (const answer of this.network(frame)) {
        this.sim.after(answer.after, () => socket.received.inject(answer.frame));
      }
    };
    sockets.push(socket);
    return {
      received: socket.received,
      *send(frame): Task<Result<void, Errno>> {
        return yield* kernel.does('send', (): Result<void, Errno> => {
          if (!devices.includes(device)) return err('ENODEV');
          if ((device.flags & 1) === 0) return err('ENETDOWN');
          transmit(frame);
          return ok(undefined);
        });
      },
      close: () => sockets.splice(sockets.indexOf(socket), 1),
    };
  }

  /** Sockets that are open, by device. */
  get open(): readonly string[] {
    return this.sockets.map(({ of }) => of.dev);
  }

  private perform(command: GuestCommand): Result<void, Errno> {
    const which = 'ifname' in command ? ` ${command.ifname}` : '';
    this.commands.push(`${command.do}${which}${command.do === 'rename' ? ` ${command.to}` : ''}`);
    const refusal = this.refusals.get(command.do);
    if (refusal !== undefined) return err(refusal);
    if (!('ifname' in command)) return ok(undefined);
    const device = this.devices.find(({ ifindex, ifname }) =>
      command.ifindex === undefined ? ifname === command.ifname : ifindex === command.ifindex,
    );
    if (device === undefined) return err('ENODEV');
    if (command.do === 'up') this.change(device, { flags: device.flags | 1, carrier: true });
    if (command.do === 'rename') {
      Object.assign(device, { ifname: command.to, nameAssignType: '4' });
      this.emit('move', device);
      this.notify(device);
    }
    return ok(undefined);
  }

  private emit(action: Uevent['action'], { dev, ifname, ifindex }: FakeDevice): void {
    const devpath = `/devices/${ifindex}/net/${ifname}`;
    for (const queue of this.uevents) queue.inject({ action, devpath, devpathOld: '', ifname, ifindex, dev });
  }

  private notify(device: FakeDevice): void {
    for (const queue of this.links) queue.inject(messageOf('new', device));
  }

  private at(path: string): FakeDevice | undefined {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return this.devices.find(({ ifname }) => ifname === name);
  }

  private targetOf(device: FakeDevice, link: SysfsLink): string | undefined {
    if (link !== 'master') return link === 'device/driver' ? device.driver : 'device';
    if (device.master === 0) return undefined;
    return known(
      this.devices.find(({ ifindex }) => ifindex === device.master),
      'master',
    ).ifname;
  }
}

const messageOf = (message: LinkMessage['message'], device: FakeDevice): LinkMessage => {
  return { message, link: linkOf(device), event: '', netns: 'init_net', movedTo: undefined };
};

const linkOf = ({ dev, ifname, ifindex, flags, mac, master, carrier }: FakeDevice): LinkInfo => ({
  dev,
  ifname,
  ifindex,
  flags,
  mac,
  mtu: 1500,
  master,
  carrier,
  operstate: carrier ? 'up' : 'down',
});

function attributeOf(device: FakeDevice, attribute: SysfsAttribute): string | undefined {
  const isUp = (device.flags & 1) !== 0;
  switch (attribute) {
    case 'flags':
      return `0x${device.flags.toString(16)}`;
    case 'address':
      return device.mac;
    case 'name_assign_type':
      return device.nameAssignType;
    case 'carrier':
      return isUp ? String(Number(device.carrier)) : undefined;
    case 'operstate':
      return isUp && device.carrier ? 'up' : 'down';
    default:
      return '0';
  }
}
