import { expect, test } from 'vitest';
import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { findHiddenState } from '../../../../src/explore/hidden-state.ts';
import type { Found, Program } from '../../../../src/explore/program.ts';
import { Window } from '../../../../src/explore/strategies/window.ts';
import { handUp } from '../../../../src/guest/freebsd/net/ether-input.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import { describeStuck, findStuck } from '../../../../src/sim/stuck.ts';
import { HnBench, type HnChoice } from './hn-bench.ts';

/** While a thread pauses all others go on: what is to happen in the midst of a detach does so only where it has no pause. */
const NO_PAUSE = { 'hn.grace': 0, 'host.reply': 0, 'vf.stop': 0 } as const;

/** A machine whose NIC and VF carry, on which the threads run in whatever order is drawn from here on. */
function program(choice: HnChoice, threadsOf: (bench: HnBench) => Readonly<Record<string, () => Task>>): Program {
  return (strategy, listener) => {
    const window = new Window(strategy, false, false);
    const bench = new HnBench({ guest: 'ideal', latency: NO_PAUSE, ...choice }, window, listener).carrying();
    const threads = threadsOf(bench);
    window.scope(true);
    for (const [name, task] of Object.entries(threads)) bench.sim.spawn(name, 'guest', task());
    const stop = bench.sim.run({ stepsMax: bench.sim.steps + 5000 });
    const found = new Map(bench.faults().map((text): [string, Found] => [text, { key: text, text }]));
    const stuck = findStuck(bench.sim);
    if (stuck !== undefined && found.size === 0) found.set('stuck', { key: 'stuck', text: describeStuck(stuck) });
    return { found: [...found.values()], stop, steps: bench.sim.steps };
  };
}

const search = (searched: Program): Exploration => searchOrders(searched, { ...USUAL_OPTIONS, strategy: 'reduced' });
const keysOf = ({ found }: Exploration): string[] => found.map(({ key }) => key).sort();

/** The host has taken the NIC away, and the guest is about to hear of it. */
function rescinded(bench: HnBench): void {
  bench.host({ do: 'rescind', nic: 'nic1' });
  const rescinds = () => bench.told('vmbus.message').some(({ name }) => name === 'rescindChannelOffer');
  bench.sim.run({ enough: rescinds });
}

/** Its hn begins to detach. */
function unlisted(bench: HnBench): void {
  bench.sim.run({ enough: () => bench.told('netvsc.listed').some(({ listed }) => !listed) });
}

const FRAME = new Uint8Array(64);

const receiving = (choice: HnChoice): Program =>
  program(choice, (bench) => {
    const { net } = bench;
    const vf = bench.ifp('nic1.vf');
    rescinded(bench);
    unlisted(bench);
    return {
      *driver() {
        yield* handUp(
          net,
          (function* () {
            const input = yield* vf.input.get();
            yield* input(vf, FRAME);
          })(),
        );
      },
    };
  });

const sending = (choice: HnChoice): Program =>
  program(choice, (bench) => {
    const opened = bench.run(function* () {
      return yield* bench.guest.openPacket('hn0', 'test');
    });
    rescinded(bench);
    unlisted(bench);
    return {
      *sender() {
        if (opened?.ok === true) yield* opened.value.send(FRAME);
      },
    };
  });

const changing = (choice: HnChoice): Program =>
  program(choice, (bench) => ({
    *eject() {
      const { net } = bench;
      const vf = bench.ifp('nic1.vf');
      yield* net.ifnetLock.lock();
      yield* vf.flags.update((flags) => flags | IFF.DYING);
      yield* net.ifnetLock.unlock();
      const dying = ((yield* vf.flags.get()) & IFF.DYING) !== 0;
      if (!dying) bench.sim.trace.emit({ kind: 'kernel.assert', dev: vf.dev, what: 'DYING is lost' });
    },
    *administrator() {
      yield* bench.guest.execute({ do: 'flags', ifname: 'hn0', flags: { arp: false } });
    },
  }));

test('G-37: a NIC that goes under a frame that its VF has received, where receivers are in no epoch section', () => {
  const before = search(receiving({ fixes: { 'receive-in-epoch': false } }));
  expect(keysOf(before)).toEqual(['use after free of nic1.hn_softc by hn_xpnt_vf_input']);
  expect(search(receiving({}))).toMatchObject({ verdict: 'all', found: [] });
});

test('G-4: a NIC that goes under a frame that is sent by it, unless it waits for whoever sends', () => {
  const before = search(sending({ fixes: { 'hn-waits-for-senders': false } }));
  expect(keysOf(before)).toEqual(['use after free of nic1.hn_softc by hn_transmit']);
  expect(search(sending({}))).toMatchObject({ verdict: 'all', found: [] });
});

test('G-34: flags of the whole word take away that the VF is dying', () => {
  const fixes = { 'hn-copies-selected-flags': false } as const;
  expect(keysOf(search(changing({ fixes })))).toEqual(['DYING is lost']);
  expect(search(changing({}))).toMatchObject({ verdict: 'all', found: [] });
});

test.each([
  ['receiving', receiving],
  ['sending', sending],
  ['changing', changing],
])(
  '%s shares nothing that the search does not know of',
  (_, build) => {
    const searched = build({});
    expect([1, 2, 3, 4].map((seed) => findHiddenState(searched, seed)?.text)).toEqual(Array(4).fill(undefined));
  },
  120_000,
);
