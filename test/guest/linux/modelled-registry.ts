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
import { RandomAddresses, type Step, type Transcript } from './transcript.ts';

/** The steps of the same commands, as the model of that kernel takes them. */
export function modelled(script: Transcript, guest: string): readonly Step[] {
  const model = new ModelledRegistry(guest);
  const random = new RandomAddresses(script.steps.map(({ command }) => command));
  const renamed = (lines: readonly string[]): readonly string[] => lines.map((line) => random.rename(line));
  return script.steps.map(({ command, failed = '' }) => {
    const step = model.step(command, failed);
    return { ...step, told: renamed(step.told), links: renamed(step.links) };
  });
}

class ModelledRegistry {
  private readonly m: TestMachine;
  private readonly links: Queue<LinkMessage>;
  private readonly uevents = new Map<NetNamespace, Queue<Uevent>>();
  /** Names by namespace and index, as `ip` keeps them: a message has the index of a master only. */
  private readonly names = new Map<string, string>();
  /** What was told of since the last step, across the sockets. */
  private readonly order: (EventOf<'rtnetlink'> | EventOf<'uevent'>)[] = [];

  constructor(guest: string) {
    this.m = machine({ guest, modules: ['dummy', 'bonding'] });
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
    const commands = commandsOf(line);
    let failed: string | undefined;
    for (const command of commands) {
      const outcome = this.m.run('ip', 'guest', this.m.machine.guest.execute(command));
      if (outcome === 'waits') throw new Error(`${line} has no end`);
      if (!outcome.ok) failed = refusal(command, outcome.error, said);
      if (failed !== undefined) break;
    }
    this.m.settle();
    const told = this.told(commands[0] as GuestCommand);
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
  private told(command: GuestCommand): readonly string[] {
    const gone = command.do === 'delete-netns' ? command.name : '';
    const links = [...this.links.contents()];
    const uevents = [...this.uevents].map(([netns, queue]) => ({ netns: netns.name, left: [...queue.contents()] }));
    this.links.discard();
    for (const queue of this.uevents.values()) queue.discard();
    const lines = this.order.splice(0).map((event) => {
      if (event.kind === 'rtnetlink') {
        const message = known(links.shift(), 'a link message');
        return message.netns === gone ? '' : this.messageLine(message);
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

  private messageLine({ message, link, event, netns, movedTo }: LinkMessage): string {
    if (message === 'new') this.names.set(`${netns} ${link.ifindex}`, link.ifname);
    const name = message === 'new' ? 'RTM_NEWLINK' : 'RTM_DELLINK';
    const moved = movedTo === undefined ? '' : ` new-ifindex ${movedTo.ifindex}`;
    return `${inside(netns)}${name} ${this.linkLine(link, netns, event)}${moved}`;
  }

  private linkLine(link: LinkInfo, netns: string, event = ''): string {
    const { ifindex, ifname, flags, mtu, master, operstate, mac } = link;
    const words = [`${ifindex}: ${ifname}: <${flagNames(flags)}> mtu ${mtu}`];
    if (master !== 0) words.push(`master ${this.names.get(`${netns} ${master}`) ?? `if${master}`}`);
    words.push(`state ${operstate.toUpperCase()}`);
    if (event !== '') words.push(`event ${event}`);
    return [...words, mac].join(' ');
  }

  private dump(): readonly string[] {
    return [...this.m.kernel.net.namespaces.values()].flatMap(({ name, devices }) => {
      const links = [...devices].map(linkInfo).sort((a, b) => a.ifindex - b.ifindex);
      return links.map((link) => `${inside(name)}${this.linkLine(link, name)}`);
    });
  }
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
