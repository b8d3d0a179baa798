import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { Latency } from '../../src/sim/latency.ts';
import { Manager } from '../../src/user/manager.ts';
import { Udev } from '../../src/user/udev.ts';
import type { Dhcp } from '../../src/wire/dhcp.ts';
import { FakeGuest, SYNTHETIC, VF } from './fake-guest.ts';
import { dhcpFrame, dhcpIn, serve } from './fake-network.ts';

/** A guest with udev and a manager on a network whose DHCP server answers after a millisecond. */
function managed(options: { readonly server?: (message: Dhcp) => Dhcp | undefined; readonly udev?: boolean } = {}) {
  const { server = serve, udev = true } = options;
  const guest = new FakeGuest();
  guest.network = (frame) => {
    const question = dhcpIn(frame);
    const answer = question === undefined ? undefined : server(question);
    return answer === undefined ? [] : [{ after: ms(1), frame: dhcpFrame(answer) }];
  };
  const latency = new Latency();
  new Manager(guest.sim, guest, latency, udev ? new Udev(guest.sim, guest, latency) : undefined);
  guest.run();
  return guest;
}

const decisions = (guest: FakeGuest) => guest.told('manager').map(({ dev, decision }) => `${dev} ${decision}`);
const leases = (guest: FakeGuest) =>
  guest.told('lease').map(({ dev, address, held }) => `${dev} ${held ? 'has' : 'gives up'} ${address}`);

describe('a manager', () => {
  test('brings a NIC up and leases an address on it', () => {
    const guest = managed();
    guest.plug(SYNTHETIC);
    guest.run();
    expect(guest.commands).toEqual(['up eth0']);
    expect(leases(guest)).toEqual(['nic1 has 10.0.1.4']);
  });

  test('does the same with a VF that no rule has marked: two leases with one address', () => {
    const guest = managed();
    guest.plug(SYNTHETIC);
    guest.plug(VF);
    guest.run();
    expect(decisions(guest)).toEqual(['nic1 managed', 'nic1.vf managed']);
    expect(leases(guest)).toEqual(['nic1 has 10.0.1.4', 'nic1.vf has 10.0.1.4']);
  });

  test('even with one that has a master: it knows nothing of netvsc', () => {
    const guest = managed();
    guest.plug(SYNTHETIC);
    guest.plug(VF, { master: SYNTHETIC.ifindex });
    guest.run();
    expect(decisions(guest)).toContain('nic1.vf managed');
  });

  test('leaves a marked VF alone', () => {
    const guest = managed();
    guest.plug(SYNTHETIC);
    guest.plug(VF, { flags: 0x1802 });
    guest.run();
    expect(decisions(guest)).toEqual(['nic1 managed', 'nic1.vf unmanaged']);
    expect(guest.commands).toEqual(['up eth0', 'rename eth1 enP1s1']);
  });

  test('does not go back on a decision when the mark comes with a later event', () => {
    const guest = managed();
    const vf = guest.plug(VF);
    guest.sim.after(ms(10), () => guest.change(vf, { flags: 0x1802 }));
    guest.run();
    expect(guest.told('udev.rule').map(({ unmanaged }) => unmanaged)).toEqual([false, true]);
    expect(decisions(guest)).toEqual(['nic1.vf managed']);
  });

  test('waits until udev is through with a device', () => {
    const guest = managed();
    guest.plug(VF);
    guest.run();
    expect(guest.told('manager')).toMatchObject([{ time: ms(11), ifname: 'enP1s1' }]);
  });

  test('without udev acts on what the kernel tells', () => {
    const guest = managed({ udev: false });
    guest.plug(VF);
    guest.run();
    expect(guest.told('manager')).toMatchObject([{ time: ms(1), ifname: 'eth1' }]);
  });

  test('leaves the loopback alone', () => {
    const guest = managed();
    guest.plug(SYNTHETIC, { dev: 'lo', ifname: 'lo', flags: 0x9 });
    guest.run();
    expect(decisions(guest)).toEqual([]);
  });

  test('tells when a device does not come up', () => {
    const guest = managed();
    guest.refusals.set('up', 'EINVAL');
    guest.plug(SYNTHETIC);
    guest.run();
    expect(guest.told('manager').map(({ decision, why }) => `${decision}: ${why}`)).toContain('up-failed: EINVAL');
    expect(leases(guest)).toEqual([]);
  });
});

describe('when the link goes', () => {
  test('with the device, the lease goes with it; the VF that returns with a new index is a new device', () => {
    const guest = managed();
    const vf = guest.plug(VF);
    guest.run();
    guest.unplug(vf);
    guest.run();
    guest.plug(VF, { ifindex: 7 });
    guest.run();
    expect(leases(guest)).toEqual(['nic1.vf has 10.0.1.4', 'nic1.vf gives up 10.0.1.4', 'nic1.vf has 10.0.1.4']);
    expect(guest.open).toEqual(['nic1.vf']);
  });

  test('with the carrier, the lease is asked for again when it is back', () => {
    const guest = managed();
    const nic = guest.plug(SYNTHETIC);
    guest.run();
    guest.change(nic, { carrier: false });
    guest.run();
    guest.change(nic, { carrier: true });
    guest.run();
    expect(leases(guest)).toEqual(['nic1 has 10.0.1.4', 'nic1 gives up 10.0.1.4', 'nic1 has 10.0.1.4']);
  });

  test('before there was a lease, nothing is given up', () => {
    const guest = managed({ server: () => undefined });
    const nic = guest.plug(SYNTHETIC);
    guest.run(ms(100));
    guest.unplug(nic);
    guest.run();
    expect([leases(guest), guest.open]).toEqual([[], []]);
  });
});

describe('the DHCP exchange', () => {
  const said = (guest: FakeGuest) => guest.told('dhcp').map(({ message, time }) => `${message} at ${time / ms(1)}`);

  test('is discover, offer, request, ack', () => {
    const guest = managed();
    guest.plug(SYNTHETIC);
    guest.run();
    expect(said(guest)).toEqual(['DISCOVER at 2', 'OFFER at 3', 'REQUEST at 3', 'ACK at 4']);
  });

  test('asks again after 4, 8, 16 and 32 s, and then gives up', () => {
    const guest = managed({ server: () => undefined });
    guest.plug(SYNTHETIC);
    guest.run();
    const at = guest.told('dhcp').map(({ message, time }) => `${message} ${Math.round(time / seconds(1))}`);
    expect(at).toEqual(['DISCOVER 0', 'DISCOVER 4', 'DISCOVER 12', 'DISCOVER 28', 'GAVE-UP 60']);
  });

  test('starts anew when the server takes its offer back', () => {
    let asked = 0;
    const guest = managed({
      server: (message) => {
        const answer = serve(message);
        return message.kind === 'request' && ++asked === 1 && answer !== undefined
          ? { kind: 'nak', transactionId: answer.transactionId, clientMac: answer.clientMac }
          : answer;
      },
    });
    guest.plug(SYNTHETIC);
    guest.run();
    expect(guest.told('dhcp').map(({ message }) => message)).toEqual([
      'DISCOVER',
      'OFFER',
      'REQUEST',
      'NAK',
      'DISCOVER',
      'OFFER',
      'REQUEST',
      'ACK',
    ]);
  });

  test('does not take an answer to somebody else', () => {
    const guest = managed({
      server: (message) => {
        const answer = serve(message);
        return answer && { ...answer, transactionId: answer.transactionId + 1 };
      },
    });
    guest.plug(SYNTHETIC);
    guest.run(seconds(2));
    expect(said(guest)).toEqual(['DISCOVER at 2']);
  });
});
