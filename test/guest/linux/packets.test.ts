import { describe, expect, test } from 'vitest';
import { BROADCAST_MAC, mac, ZERO_MAC } from '../../../src/base/mac.ts';
import { ms, seconds } from '../../../src/base/time.ts';
import type { PacketSocket } from '../../../src/guest/uapi/uapi.ts';
import { GATEWAY_MAC, gatewayIp } from '../../../src/host/stations.ts';
import { encodeArp, parseArp } from '../../../src/wire/arp.ts';
import { ETHER_TYPE, encodeEthernet, parseEthernet } from '../../../src/wire/ethernet.ts';
import { ipv4Address } from '../../../src/wire/ipv4.ts';
import { carrying, machine, type TestMachine } from '../../support/machine.ts';

/** __netif_receive_skb_core(), af_packet, netvsc_xmit(): reference B.9. */

const OWN = mac('00:0d:3a:00:00:01');

function listenOn(m: TestMachine, dev: string): PacketSocket {
  const { name } = m.guest.netdev(dev);
  const opened = m.run('listen', 'user', opens(m, name));
  if (opened === 'waits' || !opened.ok) throw new Error(`no socket on ${name}`);
  return opened.value;
}

function* opens(m: TestMachine, ifname: string) {
  return yield* m.machine.guest.openPacket(ifname, `test on ${ifname}`);
}

/** Asks the gateway for its address. */
const question = encodeEthernet({
  destination: BROADCAST_MAC,
  source: OWN,
  etherType: ETHER_TYPE.arp,
  payload: encodeArp({
    operation: 'request',
    senderMac: OWN,
    senderIp: ipv4Address('10.0.1.9'),
    targetMac: ZERO_MAC,
    targetIp: gatewayIp(1),
  }),
});

const send = (m: TestMachine, socket: PacketSocket) => m.run('send', 'user', socket.send(question));
const answers = ({ received }: PacketSocket): string[] =>
  received.contents().flatMap((frame) => parseArp(parseEthernet(frame)?.payload ?? frame)?.senderMac ?? []);

describe('a frame each way', () => {
  test('by the synthetic path', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    const socket = listenOn(m, 'nic1');
    send(m, socket);
    m.settle();
    expect(answers(socket)).toEqual([GATEWAY_MAC]);
  });

  test('by the VF: who is bound to the master hears it, and who is bound to the VF too', () => {
    const m = carrying();
    const [onNic, onVf] = [listenOn(m, 'nic1'), listenOn(m, 'nic1.vf')];
    send(m, onNic);
    m.settle();
    expect([answers(onNic), answers(onVf)]).toEqual([[GATEWAY_MAC], [GATEWAY_MAC]]);
  });

  test('what comes by the synthetic path is heard on the master alone, although the VF carries', () => {
    const m = carrying();
    const [onNic, onVf] = [listenOn(m, 'nic1'), listenOn(m, 'nic1.vf')];
    m.run('switch', 'host', broadcast(m));
    m.settle();
    expect([onNic.received.length, onVf.received.length]).toEqual([1, 0]);
  });

  test('sent on the VF itself it goes by the VF', () => {
    const m = carrying();
    const onVf = listenOn(m, 'nic1.vf');
    send(m, onVf);
    m.settle();
    expect(answers(onVf)).toEqual([GATEWAY_MAC]);
    expect(m.wire('rndis.message', 'guest')).toEqual([]);
  });

  test('a closed socket hears nothing more', () => {
    const m = carrying();
    const [onNic, closed] = [listenOn(m, 'nic1'), listenOn(m, 'nic1')];
    closed.close();
    send(m, onNic);
    m.settle();
    expect([onNic.received.length, closed.received.length]).toEqual([1, 0]);
  });
});

describe('a frame for nowhere', () => {
  test('no device of that name: ENODEV', () => {
    const m = machine();
    expect(m.run('listen', 'user', opens(m, 'eth7'))).toEqual({ ok: false, error: 'ENODEV' });
  });

  test('a device that is down: ENETDOWN, and nothing comes in', () => {
    const m = carrying();
    const socket = listenOn(m, 'nic1');
    m.guest.down('nic1');
    expect(send(m, socket)).toEqual({ ok: false, error: 'ENETDOWN' });
    m.settle();
    expect(socket.received.length).toBe(0);
  });

  test('a device that has gone: ENODEV, also when another one has its name', () => {
    const m = carrying();
    const socket = listenOn(m, 'nic1.vf');
    m.host.revoke();
    m.settle();
    expect(send(m, socket)).toEqual({ ok: false, error: 'ENODEV' });
    m.host.plug();
    m.settle();
    expect(m.guest.netdev('nic1.vf').name).toBe('eth1');
    expect(send(m, socket)).toEqual({ ok: false, error: 'ENODEV' });
    expect(socket.received.length).toBe(0);
  });
});

describe('a flow', () => {
  const both = (ledger: ReturnType<TestMachine['flow']>['ledger'], from: number, to: number) => ({
    tx: ledger.tx.counts(from, to),
    rx: ledger.rx.counts(from, to),
  });
  const whole = { lost: 0, duplicated: 0, outOfOrder: 0 };

  test.each(['echo', 'stream'] as const)('%s: every frame arrives by either path', (kind) => {
    for (const m of [machine(), carrying()]) {
      m.host.offer();
      m.guest.up('nic1');
      m.settle();
      const { ledger } = m.flow(kind, 'nic1', ms(1));
      m.pass(seconds(1));
      const { tx, rx } = both(ledger, 0, m.sim.now - ms(10));
      expect(tx).toMatchObject(whole);
      expect(rx).toMatchObject(whole);
      expect(tx.sent).toBeGreaterThan(900);
      expect(rx.sent).toBeGreaterThan(900);
    }
  });

  test('loses nothing while the guest takes the path back and forth at its own pace', () => {
    const m = carrying();
    const { ledger } = m.flow('echo', 'nic1', ms(1));
    m.pass(seconds(1));
    m.guest.down('nic1.vf');
    m.pass(seconds(1));
    m.guest.up('nic1.vf');
    m.pass(seconds(1));
    expect(m.log('nic1')).toHaveLength(2);
    const { tx } = both(ledger, 0, m.sim.now - ms(10));
    expect(tx.sent).toBeGreaterThan(2900);
    // What the VF's filter drops between the host's move and its answer.
    expect(tx.lost).toBeLessThan(5);
  });

  test('goes on by the synthetic path when the VF loses its carrier; what comes in is lost, for the host does not know', () => {
    const m = carrying();
    const { ledger } = m.flow('stream', 'nic1', ms(1));
    m.pass(seconds(1));
    m.host.vfLink('nic1', false);
    const from = m.sim.now;
    m.pass(seconds(1));
    const { tx, rx } = both(ledger, from, m.sim.now - ms(10));
    expect(tx.lost).toBe(0);
    expect(rx.lost).toBeGreaterThan(rx.sent - 3); // the link went down between two frames
  });
});

/** A broadcast from the gateway, as the switch hands it to the NIC. */
function* broadcast(m: TestMachine) {
  const frame = question.slice();
  frame.set([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc], 6);
  yield* m.machine.bus.mailbox<{ what: 'ingress'; frame: Uint8Array }>('host.nic1').put({ what: 'ingress', frame });
}
