/** The commands of a transcript run against the modelled registry; the transcript that comes of it. */
import { known } from '../../../src/base/assert.ts';
import type { NetNamespace } from '../../../src/guest/linux/netns.ts';
import { linkInfo } from '../../../src/guest/linux/rtnetlink.ts';
import { IFF, type Uevent } from '../../../src/guest/uapi/linux.ts';
import type { GuestCommand, LinkInfo, LinkMessage } from '../../../src/guest/uapi/uapi.ts';
import type { Queue } from '../../../src/sim/queue.ts';
import type { EventOf } from '../../../src/trace/event.ts';
import { machine, type TestMachine } from '../../support/machine.ts';
import { commandsOf, refusal } from './ip-command.ts';
import { ne2k } from './ne2k.ts';
import {
  hostActionOf,
  modulesOf,
  NIC,
  RandomAddresses,
  type Step,
  type Transcript,
  withoutSlot,
} from './transcript.ts';

/** The steps of the same commands, as the model of that kernel takes them. */
export function modelled(script: Transcript, guest: string): readonly Step[] {
  const model = new ModelledRegistry(guest, modulesOf(script));
  const random = new RandomAddresses(script.steps.map(({ command }) => command));
  const renamed = (lines: readonly string[]): readonly string[] => lines.map((line) => random.rename(line));
  return script.steps.map(({ command, failed = '' }) => {
    const step = model.step(command, failed);
    return { ...step, told: renamed(step.told.map(withoutSlot)), links: renamed(step.links) };
  });
}

class ModelledRegistry {
  private readonly m: TestMachine;
  private readonly links: Queue<LinkMessage>;
  private readonly uevents = new Map<NetNamespace, Queue<Uevent>>();
  /** What was told of since the last step, across the sockets. */
  private readonly order: (EventOf<'rtnetlink'> | EventOf<'uevent'>)[] = [];

  constructor(guest: string, modules: readonly string[]) {
    const pciBus = modules.length === 0 ? [] : ['pci-hyperv'];
    this.m = machine({ guest, nics: [NIC], drivers: [ne2k], modules: [...pciBus, 'dummy', 'bonding', ...modules] });
    const { net } = this.m.kernel;
    this.links = net.rtnetlink.subscribe('ip monitor', 'all');
    this.listen(net.init);
    this.m.sim.trace.listen(
      (event) => {
        if (event.kind === 'rtnetlink' || event.kind === 'uevent') this.order.push(event);
      },
      ['rtnetlink', 'uevent'],
    );
  }

  /** @param said what a real kernel's `ip` said, of which the model knows the error number only. */
  step(line: string, said: string): Step {
    const { net } = this.m.kernel;
    const action = hostActionOf(line);
    const commands = action === undefined ? commandsOf(line) : [];
    let failed = action === undefined ? undefined : this.m.host.act(action);
    for (const command of commands) {
      const outcome = this.m.run('ip', 'guest', this.m.machine.guest.execute(command));
      if (outcome === 'waits') throw new Error(`${line} has no end`);
      if (!outcome.ok) failed = refusal(command, outcome.error, said);
      if (failed !== undefined) break;
    }
    this.m.settle();
    const told = this.told(commands[0]);
    for (const netns of net.namespaces.values()) if (!this.uevents.has(netns)) this.listen(netns);
    for (const netns of [...this.uevents.keys()]) {
      if (net.namespaces.get(netns.name) !== netns) this.uevents.delete(netns);
    }
    return { command: line, failed, told, links: this.dump() };
  }

  private listen(netns: NetNamespace): void {
    this.uevents.set(netns, this.m.kernel.net.uevents.subscribe('uevent', netns));
  }

  /** What was told, in the order of the trace; nothing is heard in a namespace that is being deleted. */
  private told(command: GuestCommand | undefined): readonly string[] {
    const gone = command?.do === 'delete-netns' ? command.name : '';
    const links = [...this.links.contents()];
    const uevents = [...this.uevents].map(([netns, queue]) => ({ netns: netns.name, left: [...queue.contents()] }));
    this.links.discard();
    for (const queue of this.uevents.values()) queue.discard();
    const lines = this.order.splice(0).map((event) => {
      if (event.kind === 'rtnetlink') {
        const message = known(links.shift(), 'a link message');
        return message.netns === gone ? '' : messageLine(message);
      }
      const heard = known(
        uevents.find(({ left: [next] }) => isOf(event, next)),
        `the uevent of ${event.ifname}`,
      );
      const uevent = known(heard.left.shift(), 'a uevent');
      return heard.netns === gone ? '' : `${inside(heard.netns)}${ueventLine(uevent)}`;
    });
    return lines.filter((line) => line !== '');
  }

  private dump(): readonly string[] {
    return [...this.m.kernel.net.namespaces.values()].flatMap(({ name, devices }) => {
      const links = [...devices].sort((a, b) => a.ifindex - b.ifindex);
      return links.map((dev) => `${inside(name)}${linkLine(linkInfo(dev), dev.master?.name)}`);
    });
  }
}

function messageLine({ message, link, event, netns, movedTo }: LinkMessage): string {
  const name = message === 'new' ? 'RTM_NEWLINK' : 'RTM_DELLINK';
  const moved = movedTo === undefined ? '' : ` new-ifindex ${movedTo.ifindex}`;
  return `${inside(netns)}${name} ${linkLine(link, '', event)}${moved}`;
}

/** @param master its name, where that is shown. */
function linkLine(link: LinkInfo, master = '', event = ''): string {
  const words = [`${link.ifindex}: ${link.ifname}: <${flagNames(link.flags)}> mtu ${link.mtu}`];
  if (link.master !== 0) words.push(`master ${master}`.trimEnd());
  words.push(`state ${link.operstate.toUpperCase()}`);
  if (event !== '') words.push(`event ${event}`);
  return [...words, link.mac].join(' ');
}
/** What a listener heard is what the trace has. */
const isOf = ({ action, ifname, ifindex }: EventOf<'uevent'>, heard: Uevent | undefined): boolean =>
  heard?.action === action && heard.ifname === ifname && heard.ifindex === ifindex;

const inside = (netns: string): string => (netns === 'init_net' ? '' : `[${netns}] `);

function ueventLine({ action, devpath, devpathOld, ifname, ifindex }: Uevent): string {
  const old = devpathOld === '' ? '' : ` DEVPATH_OLD=${devpathOld}`;
  return `uevent ${action} ${devpath} INTERFACE=${ifname} IFINDEX=${ifindex}${old}`;
}

/** In iproute2's order (ip/ipaddress.c, print_link_flags()). */
const SHOWN = ['BROADCAST', 'MULTICAST', 'NOARP', 'ALLMULTI', 'PROMISC', 'MASTER', 'SLAVE', 'UP', 'LOWER_UP'] as const;

function flagNames(flags: number): string {
  const names: string[] = SHOWN.filter((name) => (flags & IFF[name]) !== 0);
  if ((flags & IFF.UP) !== 0 && (flags & IFF.RUNNING) === 0) names.unshift('NO-CARRIER');
  return names.join(',');
}
