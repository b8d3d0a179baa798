import { beforeAll, expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import type { HostNic } from '../../src/host/plan.ts';
import type { BootImages } from '../../src/vm/kernel/images.ts';
import { bootImages, RealGuest, realNic } from './real-guest.ts';

/** What a host does to a real guest: NICs and VFs that come, go and come again. */

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

test.each(['eject-first', 'surprise'] as const)(
  '25 VFs that come and go, %s',
  async (order) => {
    const guest = await ready();
    for (let i = 0; i < 25; i++) {
      guest.plug('nic1');
      guest.revoke('nic1', order);
    }
    expect(guest.ping(1, 1)).toBe(1);
    expect(guest.complaints()).toEqual([]);
  },
  120_000,
);

test('two NICs with VFs whose serial numbers cross: the driver goes by the address', async () => {
  const guest = (await fresh([realNic(1, { pciSerial: 2 }), realNic(2, { pciSerial: 1 })])).bringUp();
  for (const name of ['nic1', 'nic2']) guest.act({ do: 'plug-vf', nic: name });
  guest.until(() => ['nic1', 'nic2'].every((name) => guest.machine.host.pathOf(name) === 'vf'));
  const vfs = guest.run('cd /sys/class/net; for d in eth?; do echo $d $(cat $d/address) $(readlink $d/master); done');
  expect(vfs.match(/.* ..\/.*/g)).toEqual([
    expect.stringMatching(/00:0d:3a:12:34:52 .*eth1$/),
    expect.stringMatching(/00:0d:3a:12:34:51 .*eth0$/),
  ]);
  expect([guest.ping(1, 2), guest.ping(2, 2)]).toEqual([2, 2]);
  for (const name of ['nic1', 'nic2']) guest.act({ do: 'revoke-vf', nic: name, order: 'eject-first' });
  guest.until(() => ['nic1', 'nic2'].every((name) => guest.machine.host.vfStateOf(name) === 'none'));
  expect([guest.ping(1, 2), guest.ping(2, 2)]).toEqual([2, 2]);
  expect(guest.complaints()).toEqual([]);
});

test('the NIC is taken back with its VF in use, and comes again', async () => {
  const guest = await ready();
  guest.plug('nic1');
  guest.act({ do: 'rescind', nic: 'nic1' });
  guest.sleep(seconds(1));
  expect(guest.run('ls /sys/class/net').split(/\s+/)).not.toContain('eth0');
  expect(guest.machine.host.pathOf('nic1')).toBe('synthetic');
  guest.act({ do: 'offer', nic: 'nic1' });
  guest.sleep(seconds(1));
  guest.run('ip link set eth0 up; ip addr add 10.0.1.4/24 dev eth0');
  guest.until(() => guest.machine.host.pathOf('nic1') === 'vf');
  expect(guest.ping(1, 2)).toBe(2);
  expect(guest.complaints()).toEqual([]);
});

test('the driver, and then the bus, are unloaded and loaded', async () => {
  const guest = await ready();
  guest.plug('nic1');
  guest.run('rmmod hv_netvsc; modprobe hv_netvsc; ip link set eth0 up; ip addr add 10.0.1.4/24 dev eth0');
  guest.sleep(seconds(1));
  expect(guest.ping(1, 2)).toBe(2);
  guest.revoke('nic1', 'eject-first');
  guest.run('rmmod hv_netvsc; rmmod hv_vmbus; modprobe hv_vmbus; modprobe hv_netvsc');
  guest.run('ip link set eth0 up; ip addr add 10.0.1.4/24 dev eth0');
  expect(guest.ping(1, 2)).toBe(2);
  // The path outlives the driver, which asks for what it has.
  expect(guest.complaints()).toEqual(['switchDataPath: the path is vf already']);
});

test('three rounds of firmware updates, each with another serial number', async () => {
  const guest = await ready();
  guest.plug('nic1');
  guest.act({ do: 'update-firmware', order: 'eject-first', gap: seconds(1), times: 3, serial: 'different' });
  guest.until(() => guest.machine.host.servicingDone);
  expect(
    guest
      .log()
      .filter((line) => /VF slot \d+ added/.test(line))
      .map((line) => /slot (\d+)/.exec(line)?.[1]),
  ).toEqual(['9', '10', '11', '12']);
  expect(guest.complaints()).toEqual([]);
});
