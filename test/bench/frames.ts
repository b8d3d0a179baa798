/** What a frame costs on the synthetic path: netvsc, ring, netvsp, the switch; and the way back in at another NIC. */
import { known } from '../../src/base/assert.ts';
import { macBytes } from '../../src/base/mac.ts';
import { FLOW_STATION_MAC } from '../../src/host/stations.ts';
import { linuxOf } from '../../src/machine/guests.ts';
import type { Machine } from '../../src/machine/machine.ts';
import type { Task } from '../../src/sim/operation.ts';
import { act, bootedMachine } from './cycle.ts';
import { type Line, median, time } from './measure.ts';

const FRAMES = 20_000;
/** Experimental EtherType: nobody answers it. */
const ETHER_TYPE = [0x88, 0xb5];

function twoNics(): Machine {
  const machine = bootedMachine(2, 'bytes');
  act(machine, { do: 'offer', nic: 'nic1' }, { do: 'offer', nic: 'nic2' });
  for (const ifname of ['eth0', 'eth1']) {
    machine.sim.spawn('up', 'user', machine.guest.execute({ do: 'up', ifname }));
    machine.sim.run();
  }
  return machine;
}

function frameTo(destination: Uint8Array, source: Uint8Array, size: number): Uint8Array {
  const frame = new Uint8Array(size);
  frame.set(destination);
  frame.set(source, 6);
  frame.set(ETHER_TYPE, 12);
  return frame;
}

/** Frames a second from nic1 to a station on the switch, or on to nic2; each is sent when there is room for it. */
function rate(size: number, to: 'switch' | 'nic2'): number {
  const machine = twoNics();
  const { sim, guest } = machine;
  const [from, other] = ['nic1', 'nic2'].map((name) => macBytes(machine.nic(name).mac)) as [Uint8Array, Uint8Array];
  let arrived = 0;
  function* receive(): Task {
    const socket = yield* guest.openPacket('eth1', 'bench');
    if (!socket.ok) throw new Error(socket.error);
    sim.spawn('hello', 'user', socket.value.send(frameTo(from, other, 64))); // the switch learns where nic2 is
    for (;;) {
      yield* socket.value.received.take();
      arrived++;
    }
  }
  sim.spawn('receiver', 'user', receive(), { daemon: true });
  sim.run();
  const dev = known(linuxOf(machine).netdevOf('nic1'), 'nic1');
  const frame = frameTo(to === 'nic2' ? other : macBytes(FLOW_STATION_MAC), from, size);
  const session = 32;
  function* send(): Task {
    for (let i = 0; i < session; i++) yield* dev.ops.startXmit(frame);
  }
  const ms = time(() => {
    for (let sent = 0; sent < FRAMES; sent += session) {
      sim.spawn('sender', 'guest', send());
      sim.run();
    }
  });
  if (to === 'nic2' && arrived !== FRAMES) throw new Error(`${arrived} of ${FRAMES} frames arrived`);
  return (FRAMES / ms) * 1e3;
}

/** The floor: the copies alone that a frame needs on its way in and out of guest memory. */
function copies(size: number, count: number): number {
  const frame = new Uint8Array(size);
  const memory = new Uint8Array(1 << 20);
  const ms = time(() => {
    for (let i = 0; i < FRAMES * 10; i++) {
      for (let copy = 0; copy < count; copy++) memory.set(frame, ((i * 4 + copy) * 2048) & 0xf_f800);
    }
  });
  return ((FRAMES * 10) / ms) * 1e3;
}

export function frameLines(): Line[] {
  const lines: Line[] = [];
  for (const size of [64, 1500]) {
    const [toSwitch, toNic] = [median(5, () => rate(size, 'switch')), median(3, () => rate(size, 'nic2'))];
    const floor = median(5, () => copies(size, 2));
    const target = size === 64 ? { target: 150_000, atLeast: true as const } : {};
    lines.push(
      { what: `${size} bytes: netvsc, ring, netvsp, switch`, figure: toSwitch, unit: 'frames/s', ...target },
      { what: `${size} bytes: and in again at another NIC`, figure: toNic, unit: 'frames/s' },
      { what: `${size} bytes: two bare copies`, figure: floor, unit: 'frames/s' },
      { what: '  a frame to the switch costs', figure: floor / toSwitch, unit: 'x copies' },
    );
  }
  return lines;
}
