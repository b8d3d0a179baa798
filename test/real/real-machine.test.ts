import { beforeAll, describe, expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import type { HostNic } from '../../src/host/plan.ts';
import type { BootImages } from '../../src/vm/kernel/images.ts';
import { RealMachine } from '../../src/vm/real-machine.ts';
import { bootImages, catalogue, RealGuest, realNic } from './real-guest.ts';

/** A stock Debian kernel with its own hv_vmbus and hv_netvsc on netvsim's host. */

let images: BootImages;
/** At the shell, with no driver loaded. */
let atShell: Uint8Array;
/** With one NIC up. */
let withNic: Uint8Array;

const nic1 = [realNic(1)];
const fresh = (nics: readonly HostNic[]): Promise<RealGuest> => RealGuest.restore(images, nics, atShell);
const ready = (): Promise<RealGuest> => RealGuest.restore(images, nic1, withNic);

beforeAll(async () => {
  images = bootImages();
  const guest = await RealGuest.boot(images, { nics: nic1, latency: {} });
  atShell = guest.save();
  withNic = guest.bringUp().save();
}, 180_000);

test('the kernel finds Hyper-V, the bus and the NIC, and they agree on their newest versions', async () => {
  const guest = (await fresh(nic1)).bringUp();
  const log = guest.log();
  expect(log).toContain('Hypervisor detected: Microsoft Hyper-V');
  expect(log).toContain('Hyper-V: Host Build 10.0.20348.0-0-0');
  expect(log).toContain('hv_vmbus: Vmbus version:5.3');
  const versions = guest.events.flatMap((event) =>
    event.kind === 'nvsp.message' && event.name === 'initComplete' ? [event.detail] : [],
  );
  expect(versions).toEqual([expect.stringContaining('version=0x60001')]);
  expect(guest.run('ip -o link show eth0')).toContain('link/ether 00:0d:3a:12:34:51');
  expect(guest.run('cat /sys/class/net/eth0/device/class_id')).toContain('{f8615163-df3e-46c5-913f-f2d2f965ed0e}');
  expect(guest.complaints()).toEqual([]);
});

test('frames go by the synthetic path, by the VF, and by the synthetic path again', async () => {
  const guest = await ready();
  expect(guest.ping(1, 3)).toBe(3);
  guest.plug('nic1');
  expect(guest.ping(1, 3)).toBe(3);
  expect(Number(guest.run('cat /sys/class/net/eth1/statistics/tx_packets'))).toBeGreaterThanOrEqual(3);
  guest.revoke('nic1', 'eject-first');
  expect(guest.ping(1, 3)).toBe(3);
  const vf = guest.log().filter((line) => /VF |joined|Data path/.test(line));
  expect(vf.map((line) => line.replace(/^.*(eth\d: )/, '$1'))).toEqual([
    'eth0: VF slot 9 added',
    'eth0: VF registering: eth1',
    'eth1: joined to eth0',
    'eth0: Data path switched to VF: eth1',
    'eth0: Data path switched from VF: eth1',
    'eth0: VF unregistering: eth1',
    'eth0: VF slot 9 removed',
  ]);
  expect(guest.complaints()).toEqual([]);
});

describe('a guest that ends', () => {
  const command = (text: string) => (guest: RealGuest) =>
    guest.machine.runTask('test', guest.machine.agent.run(text), { time: seconds(30) });

  test('in a panic, with what it said', async () => {
    const guest = await ready();
    expect(command('echo c > /proc/sysrq-trigger')(guest)).toEqual({ ok: false, error: 'panic' });
    expect(guest.machine.panic).toContain('Kernel panic - not syncing: sysrq triggered crash');
    expect(guest.machine.console.tail().at(-1)).toContain('---[ end Kernel panic');
  });

  test.each([
    ['poweroff -f', 'off'],
    ['reboot -f', 'reset'],
  ])('by %s', async (text, error) => {
    expect(command(text)(await ready())).toEqual({ ok: false, error });
  });

  test('by not answering any more', async () => {
    const guest = await ready();
    const outcome = guest.machine.runTask('test', guest.machine.agent.run('sleep 1000', seconds(5)), {
      time: seconds(9),
    });
    expect(outcome).toMatchObject({ ok: true, value: { problem: 'no answer', command: 'sleep 1000' } });
    expect(guest.machine.save()).toEqual({ ok: false, error: 'a command is running in the guest' });
    // The command was interrupted, and the agent goes on.
    expect(guest.run('echo on')).toBe('on\n');
  });
});

describe('a snapshot', () => {
  test('gives the same guest each time: its memory, its trace', async () => {
    const runs: string[][] = [];
    for (let i = 0; i < 2; i++) {
      const guest = await ready();
      guest.plug('nic1');
      guest.ping(1, 2);
      guest.revoke('nic1', 'assoc-first');
      runs.push([guest.machine.memoryHash(), String(guest.machine.now), JSON.stringify(guest.events)]);
    }
    expect(runs[0]).toEqual(runs[1]);
  });

  test('can be taken with a VF in use, and again of what it has become', async () => {
    const guest = await ready();
    guest.plug('nic1');
    const again = await RealGuest.restore(images, nic1, guest.save());
    expect(again.machine.host.pathOf('nic1')).toBe('vf');
    expect(again.ping(1, 2)).toBe(2);
    again.revoke('nic1', 'eject-first');
    expect(again.ping(1, 2)).toBe(2);
    expect(again.complaints()).toEqual([]);
  });

  test('of another machine is refused in one line', async () => {
    const restore = async (nics: readonly HostNic[], id = images.id) => {
      const machine = await RealMachine.restore({ nics, latency: {} }, catalogue, { ...images, id }, withNic);
      return machine.ok ? 'none' : machine.error.text;
    };
    expect(await restore(nic1, 'other')).toBe('the snapshot is of another kernel, initrd, firmware or emulator');
    expect(await restore([realNic(2)])).toBe('the snapshot is of a machine with other NICs, and they are in use');
  });
});
