/** Guests that do what the emulated processor has no answer to, and files that a machine cannot be made from. */
import { describe, expect, test } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { mac } from '../../src/base/mac.ts';
import { loadRecord } from '../../src/base/snapshot.ts';
import { ms } from '../../src/base/time.ts';
import { prepareGuest } from '../../src/vm/boot.ts';
import { makeGround } from '../../src/vm/explore/ground.ts';
import { stretchesOf } from '../../src/vm/explore/stretch.ts';
import { type MachineImages, RealMachine, type RealOptions } from '../../src/vm/real-machine.ts';
import { sayEnd } from '../../src/vm/run-end.ts';
import { decodeSnapshot, encodeSnapshot, type HostSideRecord, type MachineRecord } from '../../src/vm/snapshot.ts';
import { PreparedGuest } from '../../src/vm/stage/prepared-guest.ts';
import { ASLEEP, firmware, INTO_NOWHERE } from '../support/firmware.ts';
import { textScenario } from '../support/text-scenario.ts';

const catalogue = { vfs: vfModels, synthetics: syntheticModels };
const nic = { name: 'nic1', mac: mac('00:0d:3a:12:34:56'), vf: 'mlx5', synthetic: 'ws2022', serial: 1, pciSerial: 1 };
const plan = { nics: [nic], latency: {} };

/** A machine that boots this and nothing else. */
function imagesOf(code: readonly number[], others: Partial<MachineImages> = {}): MachineImages {
  const [vgaBios, kernel, initrd] = [Buffer.alloc(512), Buffer.alloc(2048), Buffer.alloc(16)];
  return { id: 'made up', bios: firmware(code), vgaBios, kernel, initrd, cmdline: '', ...others };
}

const make = (images: MachineImages, options: RealOptions = {}) =>
  RealMachine.create(plan, catalogue, images, { memoryMb: 65, ...options });

async function machineWith(code: readonly number[]): Promise<RealMachine> {
  const machine = await make(imagesOf(code));
  if (!machine.ok) throw new Error(machine.error);
  return machine.value;
}

const GIVEN_UP = expect.stringMatching(/^the emulated processor cannot go on: unreachable \(.*#GP handler.*\)$/);

describe('a guest with which the emulator gives up', () => {
  test('has ended, with what the emulator says of it', async () => {
    const machine = await machineWith(INTO_NOWHERE);
    const end = machine.runUntil(() => false, { time: ms(100) });
    expect(end).toBe('trap');
    expect(sayEnd(machine, 'trap')).toEqual(GIVEN_UP);
    const { slices } = machine;
    expect(machine.runUntil(() => false, { time: ms(100) })).toBe('trap');
    expect(machine.slices).toBe(slices);
  });

  test('does not get ready', async () => {
    const prepared = prepareGuest(await machineWith(INTO_NOWHERE));
    expect(prepared).toEqual({ ok: false, error: { whose: 'guest', text: GIVEN_UP, tail: [] } });
  });

  test('does not come to where it is to be struck', async () => {
    const scenario = textScenario({
      steps: [
        '+0ms host offer nic1',
        '+20ms from here on, all orders',
        '+0ms guest up nic1',
        '+0ms host plug vf of nic1',
      ],
    });
    const [stretch] = stretchesOf(scenario);
    if (stretch === undefined) throw new Error('nothing strikes');
    const guest = new PreparedGuest(await machineWith(INTO_NOWHERE));
    expect(makeGround(guest, scenario, stretch)).toEqual({ ok: false, error: GIVEN_UP });
  });
});

describe('what a machine has no room for is said, and not tried', () => {
  test.each([
    [{ initrd: Buffer.alloc(2 ** 21) }, 65, 'the initrd does not fit: it has 2.0 MB, and of a memory of 65 MB 1 are'],
    [{ initrd: Buffer.alloc(16) }, 32, 'the initrd does not fit: it has 0.0 MB, and of a memory of 32 MB 0 are'],
    [{ kernel: Buffer.alloc(2 ** 26) }, 128, 'the kernel does not fit: it has 64.0 MB'],
    [{}, 1e6, 'a memory of 1000000 MB: 1 to 2048 can be'],
    [{}, 0.5, 'a memory of 0.5 MB: 1 to 2048 can be'],
  ])('%#', async (images, memoryMb, problem) => {
    const machine = await make(imagesOf(ASLEEP, images), { memoryMb });
    expect(machine).toEqual({ ok: false, error: expect.stringContaining(problem) });
  });
});

describe('a snapshot that somebody has made up, with its seal', () => {
  const images = imagesOf(ASLEEP);
  const restored = async (change: (record: MachineRecord, state: ArrayBuffer) => Uint8Array) => {
    const machine = await machineWith(ASLEEP);
    expect(machine.runUntil(() => false, { time: ms(1) })).toBe('stopped');
    const saved = machine.save();
    const decoded = saved.ok ? decodeSnapshot(saved.value) : saved;
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
    const { record, state } = decoded.value;
    return RealMachine.restore(plan, catalogue, images, change(loadRecord(record), state));
  };
  const header = { images: images.id, memoryMb: 65, quantum: 1000 };
  const HOST_SIDE = { nics: JSON.stringify(plan.nics), cards: [], host: {}, bus: {} } as unknown as HostSideRecord;
  const damaged = {
    ok: false,
    error: { problem: 'corrupt', text: expect.stringMatching(/^the snapshot is damaged: it/) },
  };

  test('goes on where nothing was changed', async () => {
    const machine = await restored((record, state) => encodeSnapshot(header, record, state));
    expect(machine.ok && machine.value.runUntil(() => false, { time: ms(1) })).toBe('stopped');
  });

  test.each<[string, (record: MachineRecord, state: ArrayBuffer) => Uint8Array]>([
    ['no state of the emulator', (record) => encodeSnapshot(header, record, new ArrayBuffer(100))],
    ['half of one', (record, state) => encodeSnapshot(header, record, state.slice(0, state.byteLength / 2))],
    ['no records', (_, state) => encodeSnapshot(header, {} as MachineRecord, state)],
    ['records that are none', (record, state) => encodeSnapshot(header, { ...record, hostSide: HOST_SIDE }, state)],
  ])('%s', async (_, change) => {
    expect(await restored(change)).toEqual(damaged);
  });

  test('a memory that cannot be', async () => {
    const machine = await restored((record, state) => encodeSnapshot({ ...header, memoryMb: 1e9 }, record, state));
    expect(machine).toEqual({
      ok: false,
      error: { problem: 'no machine', text: expect.stringContaining('a memory of') },
    });
  });
});
