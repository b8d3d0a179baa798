/**
 * epair(4): two ends of a wire, `epair0a` and `epair0b`, which come and go together. Its units are its own: they are
 * called by `epair0`, which no interface is ever called, so that nobody finds out that an end's name is taken.
 * Source: net/if_epair.c (epair_clone_match(), epair_clone_create(), epair_clone_destroy()), from memory; reference C.1.
 * What this leaves out: the wire.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import type { Cloner, CloneType } from '../clone/cloner.ts';
import { linkCloned } from '../clone/create.ts';
import { destroyCloned } from '../clone/destroy.ts';
import { giveUnit, takeUnit } from '../clone/take-unit.ts';
import { isSimpleName, unitOfName } from '../clone/unit-name.ts';
import type { Ifnet } from '../net/ifnet.ts';
import type { FreebsdNet } from '../net.ts';
import { ETHERNET, type Softc, SoftcDriver } from './softc.ts';

export function epairType(net: FreebsdNet): CloneType {
  const epair = new Epair(net);
  return {
    name: 'epair',
    autoUnit: false,
    matches: (wanted) => isSimpleName('epair', wanted),
    create: (cloner, { name }) => epair.create(cloner, name),
    destroy: (cloner, ifp) => epair.destroy(cloner, ifp),
  };
}

class Epair {
  private readonly net: FreebsdNet;
  private readonly driver: SoftcDriver;
  private readonly others = new WeakMap<Ifnet, Softc>();

  constructor(net: FreebsdNet) {
    this.net = net;
    this.driver = new SoftcDriver(net, 'epair', 'none');
  }

  /** The second end is attached and can be destroyed before the first one is attached. */
  *create(cloner: Cloner, name: string): Task<Result<Ifnet, Errno>> {
    const { net, driver, others } = this;
    const wanted = unitOfName(name);
    const unit = wanted.ok ? yield* takeUnit(net, cloner, wanted.value) : wanted;
    if (!unit.ok) return unit;
    const a = yield* driver.make(cloner, unit.value, ETHERNET, `epair${unit.value}a`);
    const b = a.ok ? yield* driver.make(cloner, unit.value, ETHERNET, `epair${unit.value}b`) : a;
    if (!a.ok || !b.ok) {
      if (a.ok) yield* driver.free(a.value);
      yield* giveUnit(net, cloner, unit.value);
      return a.ok ? err(b.ok ? 'ENOSPC' : b.error) : a;
    }
    others.set(a.value.ifp, b.value);
    others.set(b.value.ifp, a.value);
    yield* driver.attach(b.value, ETHERNET);
    yield* linkCloned(net, cloner, b.value.ifp);
    yield* driver.attach(a.value, ETHERNET);
    return ok(a.value.ifp);
  }

  /** One end takes the other with it; that one's destroy comes here again, and finds that it has no data any more. */
  *destroy(cloner: Cloner, ifp: Ifnet): Task<Errno | undefined> {
    const { net, driver, others } = this;
    const own = driver.of(ifp);
    const other = others.get(ifp);
    if (own === undefined || other === undefined || ifp.dunit === undefined) return undefined;
    yield* own.data.memory.use('epair_clone_destroy');
    yield* other.data.memory.use('epair_clone_destroy');
    yield* driver.detach(own);
    yield* driver.detach(other);
    const errno = yield* destroyCloned(net, cloner, other.ifp, true);
    if (errno !== undefined) yield* net.panic.because(other.ifp.dev, `epair_clone_destroy: the second end: ${errno}`);
    yield* driver.free(other);
    yield* driver.free(own);
    yield* giveUnit(net, cloner, ifp.dunit);
    return undefined;
  }
}
