/**
 * vlan(4): a tag on the frames of a parent, made as `vlan0` and told its parent later, or as `em0.5` at once. A parent
 * that departs leaves its vlans without one. Source: net/if_vlan.c (vlan_clone_match_ethervid(), vlan_clone_create(),
 * vlan_config(), vlan_ifdetach()), from memory; reference C.1.
 * What this leaves out: SIOCSETVLAN (a `vlan0` never gets a parent), frames, and all that a vlan takes over from its
 * parent but the address.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { Cloner, CloneType } from '../clone/cloner.ts';
import { giveUnit, takeUnit } from '../clone/take-unit.ts';
import { isSimpleName, unitOfName } from '../clone/unit-name.ts';
import { PRIORITY } from '../kern/eventhandler.ts';
import { Lock } from '../kern/lock.ts';
import { releaseIfnet } from '../net/allocate.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { setLinkState } from '../net/link.ts';
import { byNameReferenced } from '../net/lookup.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { ETHERNET, type Softc, SoftcDriver } from './softc.ts';

/** EVL_VLID_MASK without 0 and 4095, which are reserved (802.1Q). */
const TAG_MAX = 4094;

interface Tagged {
  readonly parent: string;
  readonly tag: number;
}

export class Vlan {
  readonly type: CloneType;
  private readonly net: FreebsdNet;
  private readonly driver: SoftcDriver;
  /** if_vlantrunk of each parent: its vlans by their tags. With the lock; who looks whether there is one has none. */
  private readonly trunks = new Map<Ifnet, Map<number, Softc>>();
  private readonly trunkPointers: Place;
  /** vlan_sx. */
  private readonly lock: Lock;

  constructor(net: FreebsdNet) {
    this.net = net;
    this.driver = new SoftcDriver(net, 'vlan', fixed(net, 'ioctl-locked') ? 'locked' : 'unlocked');
    this.trunkPointers = new Place(net.sim);
    this.lock = new Lock(net.sim, net.witness, { name: 'vlan_sx', kind: 'sx' });
    this.type = {
      name: 'vlan',
      autoUnit: false,
      matches: (name, vnet) => isSimpleName('vlan', name) || this.parentIn(vnet, name),
      create: (cloner, { name }) => this.create(cloner, name),
      destroy: (cloner, ifp) => this.destroy(cloner, ifp),
    };
    const departed = { name: 'vlan_ifdetach', priority: PRIORITY.ANY, builtIn: true } as const;
    net.events.preset('ifnet_departure_event', { ...departed, handle: (ifp) => this.parentDeparts(ifp) });
  }

  private parentIn(vnet: Vnet, name: string): boolean {
    const tagged = readTag(name);
    return tagged !== undefined && vnet.interfaces.findNow(tagged.parent)?.type === 'ether';
  }

  private *create(cloner: Cloner, name: string): Task<Result<Ifnet, Errno>> {
    const { net } = this;
    const tagged = readTag(name);
    if (tagged === undefined) return yield* this.make(cloner, name);
    const parent = yield* byNameReferenced(net, cloner.vnet, tagged.parent);
    if (parent === undefined) return err('ENXIO');
    const made = yield* this.make(cloner, name, { parent, tag: tagged.tag });
    yield* releaseIfnet(net, parent);
    return made;
  }

  private *make(
    cloner: Cloner,
    name: string,
    on?: { readonly parent: Ifnet; readonly tag: number },
  ): Task<Result<Ifnet, Errno>> {
    const { net, driver } = this;
    const wanted = on === undefined ? unitOfName(name) : ok(undefined);
    const unit = wanted.ok ? yield* takeUnit(net, cloner, wanted.value) : wanted;
    if (!unit.ok) return unit;
    const made = yield* driver.make(cloner, unit.value, ETHERNET, on === undefined ? `vlan${unit.value}` : name);
    let errno: Errno | undefined = made.ok ? undefined : made.error;
    if (made.ok) {
      yield* driver.attach(made.value, ETHERNET);
      if (on !== undefined) errno = yield* this.configure(made.value, on.parent, on.tag);
      if (errno !== undefined) yield* driver.end(made.value);
    }
    if (errno !== undefined) yield* giveUnit(net, cloner, unit.value);
    if (!made.ok || errno !== undefined) return err(errno ?? 'EINVAL');
    return ok(made.value.ifp);
  }

  /** vlan_config(): EEXIST when the parent has the tag already. */
  private *configure(softc: Softc, parent: Ifnet, tag: number): Task<Errno | undefined> {
    yield* this.lock.lock();
    const vlans = this.trunks.get(parent) ?? new Map<number, Softc>();
    const isTaken = vlans.has(tag);
    if (!isTaken) {
      this.trunkPointers.write();
      vlans.set(tag, softc);
      this.trunks.set(parent, vlans);
      softc.ifp.mac = parent.mac;
    }
    yield* this.lock.unlock();
    return isTaken ? 'EEXIST' : undefined;
  }

  private *destroy(cloner: Cloner, ifp: Ifnet): Task<Errno | undefined> {
    const softc = this.driver.of(ifp);
    if (softc === undefined || ifp.dunit === undefined) return undefined;
    yield* this.driver.detach(softc);
    yield* this.unconfigure(softc);
    yield* this.driver.free(softc);
    yield* giveUnit(this.net, cloner, ifp.dunit);
    return undefined;
  }

  /** vlan_unconfig(). */
  private *unconfigure(softc: Softc): Task {
    yield* this.lock.lock();
    for (const [parent, vlans] of this.trunks) {
      for (const [tag, each] of vlans) if (each === softc) vlans.delete(tag);
      if (vlans.size === 0) this.trunks.delete(parent);
    }
    this.trunkPointers.write();
    yield* this.lock.unlock();
  }

  private *parentDeparts(ifp: Ifnet): Task {
    this.trunkPointers.read();
    if (!this.trunks.has(ifp) || ((yield* ifp.flags.get()) & IFF.RENAMING) !== 0) return;
    yield* this.lock.lock();
    const vlans = [...(this.trunks.get(ifp)?.values() ?? [])];
    this.trunkPointers.write();
    this.trunks.delete(ifp);
    yield* this.lock.unlock();
    for (const vlan of vlans) yield* setLinkState(this.net, vlan.ifp, 'down');
  }
}

/** `em0.5`: the parent, and the tag behind the last dot. */
function readTag(name: string): Tagged | undefined {
  const [, parent, digits] = /^(.+)\.([1-9]\d{0,3})$/.exec(name) ?? [];
  if (parent === undefined || digits === undefined || Number(digits) > TAG_MAX) return undefined;
  return { parent, tag: Number(digits) };
}
