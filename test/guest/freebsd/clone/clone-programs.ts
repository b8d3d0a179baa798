/** Small programs of two or three threads that clone, rename, move and destroy, each about one entry of the catalogue. */
import { createClone } from '../../../../src/guest/freebsd/clone/create.ts';
import { destroyClone } from '../../../../src/guest/freebsd/clone/destroy.ts';
import { cloneViolations, waitsForUser } from '../../../../src/guest/freebsd/clone/invariants.ts';
import { openDevice } from '../../../../src/guest/freebsd/clone/open.ts';
import { onInterface } from '../../../../src/guest/freebsd/net/ioctl.ts';
import { renameIfnet } from '../../../../src/guest/freebsd/net/rename.ts';
import { lendIfnet, reclaimIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import type { FreebsdNet } from '../../../../src/guest/freebsd/net.ts';
import type { Vnet } from '../../../../src/guest/freebsd/vnet/vnet.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import { findStuck } from '../../../../src/sim/stuck.ts';
import type { IfnetBench } from '../net/ifnet-bench.ts';
import type { Build, Threads } from '../threads.ts';
import { Ifconfig } from './clone-bench.ts';

/** What ifconfig asks for in vnet0, from one thread each. */
class Requests {
  private readonly bench: IfnetBench;

  constructor(bench: IfnetBench) {
    this.bench = bench;
  }

  create = (name: string) => () => this.creating(name);
  destroy = (name: string) => () => this.destroying(name);

  rename = (from: string, to: string) => () => this.renaming(from, to);

  private *creating(name: string): Task {
    yield* createClone(this.bench.net, this.bench.net.vnet0, name);
  }

  private *destroying(name: string): Task {
    yield* destroyClone(this.bench.net, this.bench.net.vnet0, name);
  }

  private *renaming(from: string, to: string): Task {
    const { net } = this.bench;
    yield* onInterface(net, net.vnet0, from, 'SIOCSIFNAME', (ifp) => renameIfnet(net, ifp, to));
  }
}

/** Two interfaces of one name, or a cloner that is not as it must be at rest. */
const judged =
  ({ net, sim }: IfnetBench): NonNullable<Threads['judge']> =>
  () => {
    const names = net.vnet0.interfaces.now.map(({ name }) => name);
    if (new Set(names).size < names.length) return { key: 'duplicate', text: `the names are ${names.join(', ')}` };
    const violation = findStuck(sim) === undefined ? cloneViolations(net)[0] : undefined;
    return violation === undefined ? undefined : { key: violation.invariant, text: violation.text };
  };

/** C5-a: nobody need race for it. */
const cloneAfterRename: Build = (bench) => {
  new Ifconfig(bench, ['bridge']);
  bench.attached('d1');
  const ask = new Requests(bench);
  function* both(): Task {
    yield* ask.rename('em1', 'bridge0')();
    yield* ask.create('bridge')();
  }
  return { threads: { both }, judge: judged(bench) };
};

/** C5-b. */
const cloneAgainstRename: Build = (bench) => {
  new Ifconfig(bench, ['bridge']);
  bench.attached('d1');
  const ask = new Requests(bench);
  return { threads: { clone: ask.create('bridge1'), rename: ask.rename('em1', 'bridge1') }, judge: judged(bench) };
};

/** C5-c. */
const renameAgainstRename: Build = (bench) => {
  for (const dev of ['d1', 'd2']) bench.attached(dev);
  const ask = new Requests(bench);
  return { threads: { one: ask.rename('em1', 'wan'), two: ask.rename('em2', 'wan') }, judge: judged(bench) };
};

/** C5-d: hardware asks nobody. */
const hardwareAgainstRename: Build = (bench) => {
  bench.attached('d1');
  const ask = new Requests(bench);
  return {
    threads: {
      rename: ask.rename('em1', 'mce0'),
      *driver() {
        yield* bench.attachEthernet('d2', { dname: 'mce', dunit: 0 });
      },
    },
    judge: judged(bench),
  };
};

/** C5-e: a clone in a jail comes here by its name, which a clone here takes meanwhile. */
function jailsCloneAgainstClone(come: (net: FreebsdNet, jail: Vnet) => Task<unknown>): Build {
  return (bench) => {
    const ifconfig = new Ifconfig(bench, ['tap']);
    const jail = bench.vnet('jail');
    ifconfig.create('tap0', jail);
    const ask = new Requests(bench);
    return {
      threads: {
        clone: ask.create('tap0'),
        *come() {
          yield* come(bench.net, jail);
        },
      },
      judge: judged(bench),
    };
  };
}

/** It is taken back. */
const reclaimAgainstClone = jailsCloneAgainstClone((net) => reclaimIfnet(net, net.vnet0, 'tap0', 'jail'));

/** It is lent: looked up here, and moved then. */
const lendAgainstClone = jailsCloneAgainstClone((net, jail) => lendIfnet(net, jail, 'tap0', 'vnet0'));

/** G-2: the jail ends, and its end of the pair goes home, while somebody destroys the pair. */
const pairAgainstJail: Build = (bench) => {
  const { net } = bench;
  const ifconfig = new Ifconfig(bench, ['epair']);
  const jail = bench.vnet('jail');
  ifconfig.create('epair0');
  bench.run(() => lendIfnet(net, net.vnet0, 'epair0b', 'jail'));
  const ask = new Requests(bench);
  return {
    threads: {
      *end() {
        yield* bench.vnets.destroy(jail);
      },
      destroy: ask.destroy('epair0a'),
    },
  };
};

/** G-2, of a module that goes: no request, and so nobody who has the lock. */
const moduleAgainstJail: Build = (bench) => {
  const { net } = bench;
  const ifconfig = new Ifconfig(bench);
  const part = ifconfig.register('epair');
  const jail = bench.vnet('jail');
  ifconfig.create('epair0');
  bench.run(() => lendIfnet(net, net.vnet0, 'epair0b', 'jail'));
  return {
    threads: {
      *reclaim() {
        yield* reclaimIfnet(net, net.vnet0, 'epair0b', 'jail');
      },
      *kldunload() {
        if (part.destruct !== undefined) yield* net.curvnet.within(net.vnet0, part.destruct(net.vnet0));
      },
    },
    judge: () => (jail.state === 'live' ? undefined : { key: 'jail', text: 'the jail is gone' }),
  };
};

/** Both ends of a pair at once. */
const endAgainstEnd: Build = (bench) => {
  new Ifconfig(bench, ['epair']).create('epair0');
  const ask = new Requests(bench);
  return { threads: { a: ask.destroy('epair0a'), b: ask.destroy('epair0b') }, judge: judged(bench) };
};

/** G-20: a program has tun0 open and never closes it; somebody destroys it, and somebody else something else. */
const openTun: Build = (bench) => {
  const { net } = bench;
  const ifconfig = new Ifconfig(bench, ['tun', 'gif']);
  for (const name of ['tun0', 'gif0']) ifconfig.create(name);
  const ask = new Requests(bench);
  return {
    threads: {
      *program() {
        yield* openDevice(net, net.vnet0, 'tun0');
      },
      destroy: ask.destroy('tun0'),
      another: ask.destroy('gif0'),
    },
    judge: () => {
      const violation = waitsForUser(net);
      return violation === undefined ? undefined : { key: violation.invariant, text: violation.text };
    },
  };
};

/** The same, and somebody renames hardware, which has nothing to do with it. */
const openTunAndRename: Build = (bench) => {
  const { net } = bench;
  bench.attached('d1');
  new Ifconfig(bench, ['tun']).create('tun0');
  bench.run(() => openDevice(net, net.vnet0, 'tun0'));
  const ask = new Requests(bench);
  return {
    threads: { destroy: ask.destroy('tun0'), rename: ask.rename('em1', 'wan') },
    judge: () =>
      net.vnet0.interfaces.findNow('wan') === undefined
        ? { key: 'nothing goes', text: 'a request that is about something else waits for the program as well' }
        : undefined,
  };
};

/** G-16, G-42: the cloner goes, with an interface of its, while somebody clones. */
const unloadAgainstClone: Build = (bench) => {
  const { net } = bench;
  const part = new Ifconfig(bench).register('gif');
  const ask = new Requests(bench);
  return {
    threads: {
      clone: ask.create('gif'),
      *kldunload() {
        if (part.destruct !== undefined) yield* net.curvnet.within(net.vnet0, part.destruct(net.vnet0));
      },
    },
  };
};

/** G-16: nobody races. The map of the units goes first, and then the interfaces that have them. */
const unloadWithClone: Build = (bench) => {
  const { net } = bench;
  const ifconfig = new Ifconfig(bench);
  const part = ifconfig.register('gif');
  ifconfig.create('gif0');
  return {
    threads: {
      *kldunload() {
        if (part.destruct !== undefined) yield* net.curvnet.within(net.vnet0, part.destruct(net.vnet0));
      },
    },
  };
};

/** INV-C5: at which moment of the call was the unit the lowest that was free? */
const lowestUnit: Build = (bench) => {
  const { net } = bench;
  const ifconfig = new Ifconfig(bench, ['gif']);
  for (const name of ['gif0', 'gif1']) ifconfig.create(name);
  const ask = new Requests(bench);
  let made = '';
  return {
    threads: {
      *any() {
        const clone = yield* createClone(net, net.vnet0, 'gif');
        made = clone.ok ? clone.value : clone.error;
      },
      *others() {
        yield* ask.destroy('gif0')();
        yield* ask.create('gif2')();
      },
    },
    // 0 is free before 2 is taken, and never taken again by others: 3 was the lowest at no moment.
    judge: () =>
      made === 'gif3' ? { key: 'INV-C5', text: 'gif3 was made, and 0 or 2 was free all the time' } : undefined,
  };
};

/** Three requests: one is within, two wait. */
const threeRequests: Build = (bench) => {
  for (const dev of ['d1', 'd2', 'd3']) bench.attached(dev);
  const ask = new Requests(bench);
  const up = (name: string) => ask.rename(name, name); // nothing happens, but that somebody asks
  return { threads: { one: up('em1'), two: up('em2'), three: up('em3') } };
};

export const CLONE_PROGRAMS = {
  cloneAfterRename,
  cloneAgainstRename,
  renameAgainstRename,
  hardwareAgainstRename,
  reclaimAgainstClone,
  lendAgainstClone,
  pairAgainstJail,
  moduleAgainstJail,
  endAgainstEnd,
  openTun,
  openTunAndRename,
  unloadAgainstClone,
  unloadWithClone,
  lowestUnit,
  threeRequests,
} as const satisfies Readonly<Record<string, Build>>;
