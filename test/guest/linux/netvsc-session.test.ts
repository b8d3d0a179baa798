import { describe, expect, test } from 'vitest';
import { Sends } from '../../../src/guest/hv/sends.ts';
import { Simulation } from '../../../src/sim/simulation.ts';
import { findStuck } from '../../../src/sim/stuck.ts';
import { machine, type TestMachine } from '../../support/machine.ts';

/** netvsc_open(), netvsc_attach(), rndis_filter_halt_device(): the ends of a session and what they wait for. */

function opened(): TestMachine {
  const m = machine();
  m.host.offer();
  m.guest.up('nic1');
  m.settle();
  m.forget();
  return m;
}

describe('a session that begins', () => {
  /** What Debian's 6.1.176 was seen to send to the same host (netvsim compare). */
  test('sends what offloads and RSS are asked and set with, and a send buffer of whole sections', () => {
    const m = machine();
    m.host.offer();
    m.settle();
    const asked = m.events('rndis.message').map(({ name, detail }) => `${name} ${detail}`);
    expect(asked).toContainEqual(expect.stringContaining('query info=156 bytes oid=0xfc01020d'));
    expect(asked).toContainEqual(expect.stringContaining('set info=28 bytes oid=0xfc01020c'));
    expect(asked).toContainEqual(expect.stringContaining('query info=18 bytes oid=0x10203'));
    const shared = m.events('vmbus.message').map(({ name, detail }) => `${name} ${detail}`);
    expect(shared).toContainEqual(expect.stringContaining('gpadlHeader byteCount=0xff000'));
  });
});

describe('the carrier of a NIC that is up', () => {
  test('is lost for a moment when the MTU changes, and user mode hears of it once', () => {
    const m = opened();
    m.guest.mtu('nic1', 1400);
    m.settle();
    expect(m.story('netdev.carrier')).toEqual(['carrier of nic1: down', 'carrier of nic1: up']);
    expect(m.story('rtnetlink').filter((line) => line.includes('linkwatch'))).toHaveLength(1);
  });

  test('stays when it is closed, and begins anew when it is opened', () => {
    const m = opened();
    m.guest.down('nic1');
    m.settle();
    expect(m.story('netdev.carrier')).toEqual([]);
    m.guest.up('nic1');
    m.settle();
    expect(m.story('netdev.carrier')).toEqual(['carrier of nic1: down', 'carrier of nic1: up']);
  });
});

describe('a frame that the host never completes', () => {
  /** The channel's interrupt leads nowhere, so that the completion is never read. */
  function withFrameOut(): TestMachine {
    const m = opened();
    m.machine.bus.unlisten(1);
    m.run('sender', 'guest', m.guest.netdev('nic1').ops.startXmit(new Uint8Array(64)));
    m.settle();
    return m;
  }

  test('on a channel that is taken back: the removal waits for ever, and holds the RTNL', () => {
    const m = withFrameOut();
    m.run('host', 'host', rescindOnly(m));
    m.settle();
    expect(m.stuckIn('hv_vmbus_rescind')).toBe('drained nic1.sends (1 on their way, the last ones)');
    const other = m.start('ip', 'guest', m.machine.guest.dumpLinks());
    m.settle();
    expect(other.result).toBe('waits');
    expect(m.stuck()).toContain('ip waits: lock rtnl (hv_vmbus_rescind), held by hv_vmbus_rescind');
  });

  test('without such a frame it does not', () => {
    const m = opened();
    m.run('sender', 'guest', m.guest.netdev('nic1').ops.startXmit(new Uint8Array(64)));
    m.settle();
    m.run('host', 'host', rescindOnly(m));
    m.settle();
    expect([m.guest.has('nic1'), m.stuck()]).toEqual([false, '']);
  });
});

test('sections are given out lowest first, freed by transaction, and none is given at the end', () => {
  const sim = new Simulation();
  const sends = new Sends(sim, 'sends');
  const got: unknown[] = [];
  sim.spawn(
    'driver',
    'guest',
    (function* () {
      got.push(yield* sends.begin(0n));
      yield* sends.open(2);
      for (const id of [1n, 2n, 3n]) got.push(yield* sends.begin(id));
      got.push(yield* sends.end(1n), yield* sends.end(3n), yield* sends.begin(4n));
      yield* sends.end(2n);
      yield* sends.destroy();
      got.push(yield* sends.begin(5n));
      yield* sends.drained();
    })(),
  );
  sim.run();
  expect(got).toEqual([undefined, 0, 1, undefined, true, false, 0, undefined]);
  expect(findStuck(sim)?.waiters[0]?.waitsFor).toBe('drained sends (1 on their way, the last ones)');
});

/** The message alone, as a host sends it that keeps the VF. */
function* rescindOnly(m: TestMachine) {
  yield* m.machine.bus.synic.deliver({ name: 'rescindChannelOffer', childRelid: 1 });
}
