import { Bus } from '../../src/bus/bus.ts';
import { addPages, type Run } from '../../src/bus/gpadl.ts';
import type { Transport } from '../../src/bus/memory.ts';
import type { RingPacket } from '../../src/bus/packet.ts';
import type { Operation, Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { NVSP, type NvspMessage } from '../../src/wire/nvsp.ts';
import { PageList } from '../../src/wire/page-list.ts';

export const TRANSPORTS: readonly Transport[] = ['bytes', 'direct'];

export interface OnBus {
  readonly sim: Simulation;
  readonly bus: Bus;
  /** Runs one operation to its end and gives its result. */
  now<T>(operation: Operation<T>): T;
  /** Starts a task that may wait; `settled` lists the results of those that have ended, in order. */
  later<T>(name: string, task: () => Task<T>): void;
  readonly settled: readonly unknown[];
}

export function onBus(transport: Transport): OnBus {
  const sim = new Simulation();
  const bus = new Bus(sim, transport);
  const settled: unknown[] = [];
  const later = <T>(name: string, task: () => Task<T>): void => {
    sim.spawn(
      name,
      'guest',
      (function* () {
        settled.push(yield* task());
      })(),
    );
    sim.run();
  };
  const now = <T>(operation: Operation<T>): T => {
    const before = settled.length;
    later('test', function* () {
      return yield* operation;
    });
    if (settled.length === before) throw new Error(`${operation.kind} on ${operation.object.name} waits`);
    return settled.at(-1) as T;
  };
  return { sim, bus, now, later, settled };
}

/** An in-band packet with a message of 40 bytes: 64 in the ring with descriptor and trailer. */
export const PACKET_SIZE = 64;
export const inband = (message: NvspMessage, transactionId = 0n): RingPacket => ({
  type: 'inband',
  transactionId,
  completionRequested: transactionId !== 0n,
  payload: message,
  protocol: NVSP,
});
export const switchTo = (path: number, transactionId = 0n): RingPacket =>
  inband({ name: 'switchDataPath', activeDataPath: path }, transactionId);

/** Pages as a GPADL has them. */
export function pages(...pfns: number[]): Run[] {
  const runs: Run[] = [];
  addPages(runs, PageList.of(pfns));
  return runs;
}
