/** What is found by the number of an interface that is on its way to another vnet (seed 000). */
import { byIndex } from '../../../src/guest/freebsd/net/lookup.ts';
import { lendIfnet } from '../../../src/guest/freebsd/net/vmove.ts';
import type { Build } from './threads.ts';

/** A program in the jail looks for number 1 while the interface that has it is on its way there. */
export const seenByNumberFirst: Build = (bench) => {
  const { net } = bench;
  const jail = bench.vnet('jail');
  bench.attached('d1');
  let unlisted = false;
  return {
    threads: {
      *mover() {
        yield* lendIfnet(net, net.vnet0, 'em1', 'jail');
      },
      *program() {
        yield* net.epoch.enter();
        const ifp = yield* byIndex(net, jail, 1);
        if (ifp !== undefined && !(yield* jail.interfaces.has(ifp))) unlisted = true;
        yield* net.epoch.exit();
      },
    },
    judge: () => (unlisted ? { key: 'unlisted', text: 'its number answers before it is listed' } : undefined),
  };
};

/** Between two vnets an interface still says its old number: whose is that by then? */
export const numberWhileMoving: Build = (bench) => {
  const { net } = bench;
  bench.vnet('jail');
  let stranger = false;
  const ifp = bench.attached('d1', {
    methods: {
      *reassign() {
        const found = yield* byIndex(net, net.vnet0, ifp.index);
        if (found !== undefined && found !== ifp) stranger = true;
      },
    },
  });
  return {
    threads: {
      *mover() {
        yield* lendIfnet(net, net.vnet0, 'em1', 'jail');
      },
      *driver() {
        yield* bench.allocate('d2');
      },
    },
    judge: () => (stranger ? { key: 'stranger', text: 'its number is that of another interface' } : undefined),
  };
};
