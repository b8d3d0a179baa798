import { describe, expect, test } from 'vitest';
import { ms } from '../../../../src/base/time.ts';
import type { PacketSocket } from '../../../../src/guest/uapi/uapi.ts';
import { flowStationIp } from '../../../../src/host/stations.ts';
import { Flow } from '../../../../src/user/flows.ts';
import { ipv4Address } from '../../../../src/wire/ipv4.ts';
import { HnBench, macOf } from './hn-bench.ts';

/** An echo flow on nic1 that runs from now on. */
function echo(bench: HnBench): Flow {
  const spec = {
    name: 'echo',
    kind: 'echo',
    dev: 'nic1',
    mac: macOf(1),
    every: ms(10),
    bytes: 128,
    address: ipv4Address('10.0.1.251'),
    station: flowStationIp(1),
  } as const;
  return new Flow(bench.sim, bench.guest, spec, {
    ifname: () => bench.find('nic1')?.name,
    pathNow: () => bench.guest.pathOf('nic1'),
  });
}

function countsOf(bench: HnBench) {
  const { tx, rx } = bench.sim.trace.frames.flow('echo');
  return { sent: tx.length, lost: tx.lost().length + rx.lost().length };
}

function listen(bench: HnBench, ifname: string): PacketSocket {
  const opened = bench.run(function* () {
    return yield* bench.guest.openPacket(ifname, 'test');
  });
  if (opened?.ok !== true) throw new Error(`nobody can listen to ${ifname}`);
  return opened.value;
}

describe('frames', () => {
  test('go and come by the synthetic path while there is no VF', () => {
    const bench = new HnBench().offered();
    const flow = echo(bench);
    bench.pass(ms(505));
    bench.run(() => flow.stop());
    bench.settle();
    expect(countsOf(bench)).toEqual({ sent: 51, lost: 0 });
  });

  test('go and come by the VF when it carries, and whoever listens to either interface hears what comes', () => {
    const bench = new HnBench().carrying();
    const [hn, vf] = [listen(bench, 'hn0'), listen(bench, 'exvf0')];
    const { synthetic, vf: before } = carried(bench);
    const flow = echo(bench);
    bench.pass(ms(505));
    bench.run(() => flow.stop());
    bench.settle();
    const counts = countsOf(bench);
    expect(counts.lost).toBe(0);
    expect(carried(bench).synthetic).toEqual(synthetic);
    expect(carried(bench).vf.toGuest - before.toGuest).toBeGreaterThanOrEqual(counts.sent);
    expect(hn.received.length).toBe(vf.received.length);
    expect(hn.received.length).toBeGreaterThanOrEqual(counts.sent);
  });

  test('are lost between the end of the VF’s queues and its departure, both ways', () => {
    const bench = new HnBench({ vf: 'mlx5' }).carrying(); // 5 ms until its queues are gone
    const flow = echo(bench);
    bench.pass(ms(101));
    for (let i = 0; i < 3; i++) {
      bench.pass(ms(7));
      bench.revoke();
      bench.pass(ms(3000));
      bench.plug();
      bench.pass(ms(5000));
    }
    bench.run(() => flow.stop());
    bench.settle();
    const { lost } = countsOf(bench);
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(10);
  });

  test('for an interface that is down, or gone, are refused', () => {
    const bench = new HnBench().offered();
    const socket = listen(bench, 'hn0');
    bench.command({ do: 'down', ifname: 'hn0' });
    const frame = new Uint8Array(64);
    expect(bench.run(() => socket.send(frame))).toEqual({ ok: false, error: 'ENETDOWN' });
    bench.host({ do: 'rescind', nic: 'nic1' });
    bench.settle();
    expect(bench.run(() => socket.send(frame))).toEqual({ ok: false, error: 'ENXIO' });
  });

  test('that find no room on the way to the host are dropped, and the sender is told', () => {
    const bench = new HnBench().offered();
    bench.host({ do: 'arm-fault', nic: 'nic1', fault: { fault: 'silence', dev: 'nic1', may: false } });
    const socket = listen(bench, 'hn0');
    const answers = bench.run(function* () {
      const outcomes = new Set<string>();
      for (let i = 0; i < 4000; i++) {
        const sent = yield* socket.send(new Uint8Array(1514));
        outcomes.add(sent.ok ? 'sent' : sent.error);
      }
      return [...outcomes];
    });
    expect(answers).toEqual(['sent', 'ENOBUFS']);
  });
});

const carried = (bench: HnBench) => structuredClone(bench.machine.host.stateOf('nic1').carried);
