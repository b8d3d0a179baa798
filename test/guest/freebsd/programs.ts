/** Small programs of two or three threads on a network stack, each of which is about one entry of the catalogue. */

import { freeIfnet } from '../../../src/guest/freebsd/net/allocate.ts';
import { attachIfnet } from '../../../src/guest/freebsd/net/attach.ts';
import { detachIfnet, unlinkIfnet } from '../../../src/guest/freebsd/net/detach.ts';
import { setLinkAddress } from '../../../src/guest/freebsd/net/ioctl.ts';
import { setLinkState } from '../../../src/guest/freebsd/net/link.ts';
import { byIndexReferenced } from '../../../src/guest/freebsd/net/lookup.ts';
import { output, outputHolding } from '../../../src/guest/freebsd/net/output.ts';
import { renameIfnet } from '../../../src/guest/freebsd/net/rename.ts';
import { lendIfnet, reclaimIfnet } from '../../../src/guest/freebsd/net/vmove.ts';
import { addAddress } from '../../../src/guest/freebsd/netinet/addresses.ts';
import type { Vnet } from '../../../src/guest/freebsd/vnet/vnet.ts';
import { IFF } from '../../../src/guest/uapi/freebsd.ts';
import { type IfnetBench, MAC } from './net/ifnet-bench.ts';
import { numberWhileMoving, seenByNumberFirst } from './programs-of-numbers.ts';
import type { Build, Threads } from './threads.ts';

const FRAME = new Uint8Array(14);

const outputByNumber: Build = (bench) => {
  const ifp = bench.attached('d1');
  return {
    threads: {
      *sender() {
        yield* output(bench.net, { index: ifp.index, family: 'inet6' }, FRAME);
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

const outputByRoute: Build = (bench) => {
  const ifp = bench.attached('d1');
  bench.run(() => addAddress(bench.net, ifp, 'fe80::1'));
  return {
    threads: {
      *sender() {
        yield* output(bench.net, { destination: 'fe80::1' }, FRAME);
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

const outputWhileMoving: Build = (bench) => {
  bench.vnet('jail');
  const ifp = bench.attached('d1');
  return {
    threads: {
      *sender() {
        yield* outputHolding(bench.net, ifp.index, 'inet6', FRAME);
      },
      *mover() {
        yield* lendIfnet(bench.net, bench.net.vnet0, ifp.name, 'jail');
      },
    },
  };
};

const referenceFromNone: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *holder() {
        yield* net.epoch.enter();
        const held = yield* byIndexReferenced(net, net.vnet0, ifp.index);
        yield* net.epoch.exit();
        if (held !== undefined) yield* held.memory.use('its holder');
      },
      *eject() {
        yield* freeIfnet(net, ifp);
      },
    },
  };
};

const referenceTooEarly: Build = (bench) => {
  const { net } = bench;
  let early = false;
  return {
    threads: {
      *driver() {
        yield* attachIfnet(net, yield* bench.allocate('d1'));
      },
      *socket() {
        yield* net.epoch.enter();
        const ifp = yield* byIndexReferenced(net, net.vnet0, 1);
        if (ifp?.state === 'allocated') early = true;
        yield* net.epoch.exit();
      },
    },
    judge: () => (early ? { key: 'early', text: 'a reference to what is on no list yet' } : undefined),
  };
};

const ejectAgainstReclaim: Build = (bench) => {
  const { net } = bench;
  bench.vnet('jail');
  const ifp = bench.attached('d1');
  bench.run(() => lendIfnet(net, net.vnet0, ifp.name, 'jail'));
  return {
    threads: {
      *reclaim() {
        yield* reclaimIfnet(net, net.vnet0, 'em1', 'jail');
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

const ejectTwice: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  function* detach() {
    yield* detachIfnet(net, ifp);
  }
  return {
    threads: { one: detach, two: detach },
    judge: () => {
      const { count, interfaces } = net.vnet0;
      return count === interfaces.now.length ? undefined : { key: 'count', text: `the count is ${count}` };
    },
  };
};

const ejectFromDyingVnet: Build = (bench) => {
  const { net } = bench;
  const jail = bench.vnet('jail');
  const ifp = bench.attached('d1');
  bench.run(() => lendIfnet(net, net.vnet0, ifp.name, 'jail'));
  return {
    threads: {
      *end() {
        yield* bench.vnets.destroy(jail);
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

const duplicates =
  ({ net }: IfnetBench) =>
  () => {
    const names = [...net.vnet0.interfaces.now].map(({ name }) => name);
    const isUnique = new Set(names).size === names.length;
    return isUnique ? undefined : { key: 'duplicate', text: `the names are ${names.join(', ')}` };
  };

const twoRenames: Build = (bench) => {
  const [one, two] = [bench.attached('d1'), bench.attached('d2')];
  return {
    threads: {
      *one() {
        yield* renameIfnet(bench.net, one, 'wan');
      },
      *two() {
        yield* renameIfnet(bench.net, two, 'wan');
      },
    },
    judge: duplicates(bench),
  };
};

const attachAgainstRename: Build = (bench) => {
  const ifp = bench.attached('d1');
  return {
    threads: {
      *administrator() {
        yield* renameIfnet(bench.net, ifp, 'mce0');
      },
      *driver() {
        yield* attachIfnet(bench.net, yield* bench.allocate('d2', { dname: 'mce', dunit: 0 }));
      },
    },
    judge: duplicates(bench),
  };
};

const renameAgainstUnlink: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *administrator() {
        yield* renameIfnet(net, ifp, 'wan');
      },
      *eject() {
        yield* unlinkIfnet(net, ifp, net.vnet0, 'unlinked');
      },
    },
    judge: () => {
      const flags = ifp.flags.now & (IFF.DYING | IFF.RENAMING);
      return flags === IFF.DYING ? undefined : { key: 'lost', text: `the flags are 0x${flags.toString(16)}` };
    },
  };
};

const lateLink: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *eject() {
        yield* detachIfnet(net, ifp);
        yield* setLinkState(net, ifp, 'down');
        yield* freeIfnet(net, ifp);
      },
    },
  };
};

const fragment: Build = (bench) => {
  const { net, stack } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *input() {
        yield* net.epoch.enter();
        if ((yield* net.vnet0.interfaces.find('em1')) !== undefined) yield* stack.reassembly.add(ifp);
        yield* net.epoch.exit();
        yield* stack.reassembly.expire(net.vnet0);
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

/** A packet waits; meanwhile something becomes of its interface. */
const inFlight =
  (change: (bench: IfnetBench) => Threads['threads']): Build =>
  (bench) => {
    const { net, stack } = bench;
    bench.vnet('jail');
    const ifp = bench.attached('d1');
    return {
      threads: {
        *input() {
          yield* net.epoch.enter();
          if ((yield* net.vnet0.interfaces.find('em1')) !== undefined) yield* stack.netisr.defer(ifp);
          yield* net.epoch.exit();
        },
        ...change(bench),
      },
      judge: () => {
        const strayed = bench.events.some((e) => e.kind === 'packet.input' && e.vnet !== e.interfaceIn);
        return strayed ? { key: 'strayed', text: 'a packet of one vnet has an interface of another' } : undefined;
      },
    };
  };

const inFlightWhenEjected = inFlight((bench) => ({
  *eject() {
    const ifp = bench.net.attached.get('d1');
    if (ifp !== undefined) yield* bench.remove(ifp);
  },
}));

const inFlightWhenMoved = inFlight(({ net }) => ({
  *mover() {
    yield* lendIfnet(net, net.vnet0, 'em1', 'jail');
  },
}));

/** A module comes while a jail is made: in the end each vnet has the module's data, and its part was constructed there. */
const moduleAgainstVnet: Build = ({ net, vnets }) => {
  const variable = { name: 'V_module', initial: 7, size: 8 } as const;
  const constructed: string[] = [];
  return {
    threads: {
      *jail() {
        yield* vnets.create('jail');
      },
      *kldload() {
        yield* vnets.variables.load(variable);
        yield* vnets.register({
          name: 'module',
          subsystem: 'PSEUDO',
          *construct({ name }) {
            constructed.push(name);
          },
        });
      },
    },
    judge: () => {
      const lacking = net.vnets.filter((vnet) => vnets.variables.of(vnet, variable) === undefined);
      if (lacking.length > 0) return { key: 'no data', text: `${lacking[0]?.name} lacks the data of the module` };
      const complete = net.vnets.every(({ name }) => constructed.filter((each) => each === name).length === 1);
      return complete ? undefined : { key: 'not constructed', text: `constructed in ${constructed.join(', ')}` };
    },
  };
};

/** A bridge that goes home with its members takes another MAC after its families' data have gone (G-8). */
const addressOfDetached: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *mover() {
        yield* detachIfnet(net, ifp);
      },
      *bridge() {
        yield* setLinkAddress(net, ifp, MAC);
      },
    },
  };
};

/** Two jails give back interfaces that have one name. */
const sameNameReturns: Build = (bench) => {
  const { net } = bench;
  const jails = ['a', 'b'].map((name) => bench.vnet(name));
  for (const [i, jail] of jails.entries()) {
    const ifp = bench.attached(`d${i + 1}`);
    bench.run(() => lendIfnet(net, net.vnet0, ifp.name, jail.name));
    bench.run(() => renameIfnet(net, ifp, 'lan'), jail);
  }
  const end = (at: number) => () => bench.vnets.destroy(jails[at] as Vnet);
  return { threads: { a: end(0), b: end(1) }, judge: duplicates(bench) };
};

export const PROGRAMS = {
  seenByNumberFirst,
  numberWhileMoving,
  sameNameReturns,
  moduleAgainstVnet,
  addressOfDetached,
  outputByNumber,
  outputByRoute,
  outputWhileMoving,
  referenceFromNone,
  referenceTooEarly,
  ejectAgainstReclaim,
  ejectTwice,
  ejectFromDyingVnet,
  twoRenames,
  attachAgainstRename,
  renameAgainstUnlink,
  lateLink,
  fragment,
  inFlightWhenEjected,
  inFlightWhenMoved,
} as const satisfies Readonly<Record<string, Build>>;
