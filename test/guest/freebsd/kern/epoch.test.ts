import { expect, test } from 'vitest';
import { searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { Cell } from '../../../../src/sim/cell.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';
import { program } from '../threads.ts';

/** What each thread does, as it happens. */
function told(threads: (bench: IfnetBench, say: (word: string) => void) => Readonly<Record<string, Task>>): string[] {
  const bench = new IfnetBench();
  const said: string[] = [];
  for (const [name, task] of Object.entries(threads(bench, (word) => said.push(word))))
    bench.sim.spawn(name, 'guest', task);
  bench.sim.run();
  return said;
}

function* reader({ net }: IfnetBench, say: (word: string) => void, name: string, before: number, inside: number): Task {
  yield* net.sim.sleep(before, 'its turn');
  yield* net.epoch.enter();
  say(`${name} is in`);
  yield* net.sim.sleep(inside, 'its work');
  yield* net.epoch.exit();
  say(`${name} is out`);
}

test('who waits waits for those who are inside, and not for those who come later', () => {
  const said = told((bench, say) => ({
    early: reader(bench, say, 'early', 1, 10),
    late: reader(bench, say, 'late', 5, 100),
    writer: (function* () {
      yield* bench.net.sim.sleep(3, 'its turn');
      yield* bench.net.epoch.wait();
      say('the wait is over');
    })(),
  }));
  expect(said).toEqual(['early is in', 'late is in', 'early is out', 'the wait is over', 'late is out']);
});

test('a callback runs when those who were inside are out, and draining waits for it', () => {
  const said = told((bench, say) => ({
    reader: reader(bench, say, 'reader', 1, 10),
    writer: (function* () {
      yield* bench.net.sim.sleep(3, 'its turn');
      yield* bench.net.epoch.call('free it', function* () {
        say('it is freed');
      });
      say('the writer goes on');
      yield* bench.net.epoch.drain();
      say('drained');
    })(),
  }));
  expect(said).toEqual(['reader is in', 'the writer goes on', 'reader is out', 'it is freed', 'drained']);
});

test('a section inside of another one ends with the outer one', () => {
  const said = told((bench, say) => ({
    reader: (function* () {
      yield* bench.net.epoch.enter();
      yield* reader(bench, say, 'inner', 1, 1);
      yield* bench.net.sim.sleep(10, 'its work');
      yield* bench.net.epoch.exit();
      say('outer is out');
    })(),
    writer: (function* () {
      yield* bench.net.sim.sleep(1, 'its turn');
      yield* bench.net.epoch.wait();
      say('the wait is over');
    })(),
  }));
  expect(said.slice(-2).sort()).toEqual(['outer is out', 'the wait is over']);
  expect(said.indexOf('inner is out')).toBeLessThan(said.indexOf('the wait is over'));
});

/** The classic: unlink, wait, free; the reader follows the pointer only inside of a section. */
const unlinkAndFree = (waits: boolean) =>
  program({}, ({ net }) => {
    const pointer = new Cell(net.sim, 'pointer', true);
    const freed = new Cell(net.sim, 'freed', false);
    let used = false;
    return {
      threads: {
        *reader() {
          yield* net.epoch.enter();
          if ((yield* pointer.get()) && (yield* freed.get())) used = true;
          yield* net.epoch.exit();
        },
        *writer() {
          yield* pointer.set(false);
          if (waits) yield* net.epoch.wait();
          yield* freed.set(true);
        },
      },
      judge: () => (used ? { key: 'use after free', text: 'the reader uses what is freed' } : undefined),
    };
  });

test('in all orders: nothing is freed under a reader, but without the wait it is', () => {
  const options = { ...USUAL_OPTIONS, strategy: 'reduced' } as const;
  expect(searchOrders(unlinkAndFree(true), options)).toMatchObject({ verdict: 'all', found: [] });
  expect(searchOrders(unlinkAndFree(false), options)).toMatchObject({ verdict: 'fails' });
});
