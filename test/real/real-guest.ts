/** A real kernel for tests: booted once a file, and restored as often as one is needed. */
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { mac } from '../../src/base/mac.ts';
import { type Nanoseconds, seconds } from '../../src/base/time.ts';
import type { HostAction, RevokeOrder } from '../../src/host/action.ts';
import type { HostNic } from '../../src/host/plan.ts';
import type { Event } from '../../src/trace/event.ts';
import { keep, Recorder } from '../../src/trace/recorder.ts';
import { isAnswered } from '../../src/vm/agent.ts';
import { cacheFolder } from '../../src/vm/kernel/cache.ts';
import { type BootImages, readBootImages } from '../../src/vm/kernel/images.ts';
import { RealMachine, type RealOptions, type RealPlan } from '../../src/vm/real-machine.ts';

export const catalogue = { vfs: vfModels, synthetics: syntheticModels };

export const realNic = (number: number, change: Partial<HostNic> = {}): HostNic => ({
  name: `nic${number}`,
  mac: mac(`00:0d:3a:12:34:5${number}`),
  vf: 'mlx5',
  synthetic: 'ws2022',
  serial: number,
  pciSerial: number,
  ...change,
});

const PATIENCE = seconds(120);
const ADDRESSES = (nics: readonly HostNic[]): string =>
  nics.map((_, i) => `ip link set eth${i} up; ip addr add 10.0.${i + 1}.4/24 dev eth${i}`).join('; ');

/** What was installed by `npm run kernel`. */
export function bootImages(): BootImages {
  const images = readBootImages({ cache: cacheFolder(process.env) });
  if (!images.ok) throw new Error(images.error);
  return images.value;
}

export class RealGuest {
  readonly machine: RealMachine;
  readonly events: readonly Event[];

  private constructor(machine: RealMachine, events: readonly Event[]) {
    this.machine = machine;
    this.events = events;
  }

  /** At its shell, after a cold boot. */
  static async boot(images: BootImages, plan: RealPlan, options: RealOptions = {}): Promise<RealGuest> {
    const trace = new Recorder();
    const events = keep(trace);
    const machine = given(await RealMachine.create(plan, catalogue, images, { trace, ...options }));
    const guest = new RealGuest(machine, events);
    guest.run('true');
    return guest;
  }

  static async restore(images: BootImages, nics: readonly HostNic[], snapshot: Uint8Array): Promise<RealGuest> {
    const trace = new Recorder();
    const events = keep(trace);
    const plan = { nics, latency: {} };
    return new RealGuest(given(await RealMachine.restore(plan, catalogue, images, snapshot, { trace })), events);
  }

  save(): Uint8Array {
    return given(this.machine.save());
  }

  /** Offers all NICs, loads the drivers, and gives each NIC the address .4 of its subnet. */
  bringUp(): this {
    for (const { name } of this.machine.plan.nics) this.act({ do: 'offer', nic: name });
    this.run('modprobe hv_vmbus; modprobe hv_netvsc; modprobe ne2k-pci');
    this.run(ADDRESSES(this.machine.plan.nics));
    return this;
  }

  /** What a command prints; an exit code other than 0 throws. */
  run(command: string): string {
    const outcome = given(this.machine.runTask('test', this.machine.agent.run(command), { time: PATIENCE }));
    if (isAnswered(outcome) && outcome.code === 0) return outcome.output;
    throw new Error(`${command}: ${JSON.stringify(outcome)}`);
  }

  act(action: HostAction): void {
    const refused = given(this.machine.runTask('test', this.machine.host.act(action), { time: PATIENCE }));
    if (refused !== undefined) throw new Error(refused.refused);
  }

  until(condition: () => boolean, time = PATIENCE): void {
    const end = this.machine.runUntil(condition, { time });
    if (end !== 'held') throw new Error(`${end}: ${condition}\n${this.machine.console.tail().join('\n')}`);
  }

  sleep(span: Nanoseconds): void {
    const end = this.machine.now + span;
    this.until(() => this.machine.now >= end);
  }

  /** Gives it its VF and waits until the path has moved. */
  plug(nic: string): void {
    this.act({ do: 'plug-vf', nic });
    this.until(() => this.machine.host.pathOf(nic) === 'vf');
  }

  /** Takes the VF away and waits until all is as it was without. */
  revoke(nic: string, order: RevokeOrder): void {
    this.act({ do: 'revoke-vf', nic, order });
    const isOfVf = (event: Event) => event.kind === 'host.vf' && event.dev === `${nic}.vf`;
    const isGone = (event: Event | undefined) => event?.kind === 'host.vf' && event.state === 'gone';
    this.until(() => isGone(this.events.findLast(isOfVf)) && this.machine.host.pathOf(nic) === 'synthetic');
  }

  /** How many of some pings to the gateway of a subnet came back. */
  ping(subnet: number, count: number): number {
    return Number(/(\d+) packets received/.exec(this.run(`ping -c ${count} 10.0.${subnet}.1`))?.[1]);
  }

  /** The kernel's log without its times. */
  log(): readonly string[] {
    return this.run('dmesg')
      .split('\n')
      .map((line) => line.replace(/^\[[ .\d]+\] /, ''));
  }

  /** What has gone wrong: for the host, and in the kernel's log. */
  complaints(): readonly string[] {
    const host = this.events.flatMap((event) => {
      if (event.kind === 'host.refused') return [`${event.what}: ${event.why}`];
      return event.kind === 'wire.malformed' || event.kind === 'host.timeout' ? [JSON.stringify(event)] : [];
    });
    const bad = /\b(BUG|Oops|WARNING|Call Trace|hung|timed out|invalid|unable|Unknown send|failed)\b/;
    return [...host, ...this.log().filter((line) => bad.test(line) && /hv_|ne2k|eth\d|vmbus|BUG|Trace/.test(line))];
  }
}

function given<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T {
  if (result.ok) return result.value;
  throw new Error(typeof result.error === 'string' ? result.error : JSON.stringify(result.error));
}
