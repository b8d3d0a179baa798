/**
 * What the drivers of cloned interfaces have in common: data of their own (softc), which a request can reach as long as
 * the interface is referred to, and which goes when the interface is destroyed. Whether the one keeps the other away is up
 * to the driver: some have a lock for it (gif_ioctl_sx, tun_ioctl_sx), some never look at their data, some do (G-47).
 */
import type { MacAddress } from '../../../base/mac.ts';
import { mac } from '../../../base/mac.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { Cloner } from '../clone/cloner.ts';
import { Lock } from '../kern/lock.ts';
import { KernelMemory } from '../kern/memory.ts';
import { allocateIfnet, freeIfnet } from '../net/allocate.ts';
import { attachIfnet, etherAttach } from '../net/attach.ts';
import { detachIfnet } from '../net/detach.ts';
import type { IfMethods, Ifnet } from '../net/ifnet.ts';
import type { FreebsdNet } from '../net.ts';

/** How an interface of a kind looks from the start. */
export interface Looks {
  readonly link: 'ether' | 'loop' | 'other';
  readonly flags: number;
  readonly mtu?: number;
}

export const ETHERNET: Looks = { link: 'ether', flags: IFF.BROADCAST | IFF.SIMPLEX | IFF.MULTICAST };

/** A driver's data of one interface, and whether the interface points to it (if_softc). */
class SoftcData {
  readonly memory: KernelMemory;
  private readonly pointer: Place;
  private isUnset = false;

  constructor(sim: Simulation, dev: string, what: string) {
    this.memory = new KernelMemory(sim, dev, what);
    this.pointer = new Place(sim);
  }

  get isGone(): boolean {
    this.pointer.read();
    return this.isUnset;
  }

  unset(): void {
    this.pointer.write();
    this.isUnset = true;
  }
}

export interface Softc {
  readonly data: SoftcData;
  readonly ifp: Ifnet;
}

/** What the requests of a driver do with its data: nothing, look at it under a lock, or just look at it. */
export type Access = 'none' | 'locked' | 'unlocked';

export class SoftcDriver {
  readonly net: FreebsdNet;
  /** Keeps requests and the end of the data apart. */
  private readonly ioctlLock: Lock;
  private readonly kind: string;
  private readonly access: Access;
  private readonly softcs = new WeakMap<Ifnet, Softc>();

  constructor(net: FreebsdNet, kind: string, access: Access) {
    this.net = net;
    this.kind = kind;
    this.access = access;
    this.ioctlLock = new Lock(net.sim, net.witness, { name: `${kind}_ioctl_sx`, kind: 'sx' });
  }

  /** if_softc. */
  of(ifp: Ifnet): Softc | undefined {
    const softc = this.softcs.get(ifp);
    return softc?.data.isGone === true ? undefined : softc;
  }

  /** The data and the interface; nobody can find it yet but by its number. */
  *make({ type, vnet }: Cloner, unit: number, looks: Looks, name = `${type.name}${unit}`): Task<Result<Softc, Errno>> {
    const { net, kind } = this;
    const dev = vnet === net.vnet0 ? name : `${vnet.name}.${name}`;
    const data = new SoftcData(net.sim, dev, `${kind}_softc`);
    yield* data.memory.use(`${kind}_clone_create`); // malloc(M_WAITOK) may sleep, and nothing reserves the name meanwhile
    const made = yield* allocateIfnet(net, {
      dev,
      name,
      type: looks.link,
      dname: type.name,
      dunit: unit,
      flags: looks.flags,
      ...(looks.mtu === undefined ? {} : { mtu: looks.mtu }),
      methods: this.methods(data),
    });
    if (!made.ok) return err(made.error);
    const softc = { data, ifp: made.value };
    this.softcs.set(made.value, softc);
    return ok(softc);
  }

  *attach({ ifp }: Softc, looks: Looks): Task {
    if (looks.link === 'ether') yield* etherAttach(this.net, ifp, macOf(ifp));
    else yield* attachIfnet(this.net, ifp);
  }

  /** From the stack first, then the data, then the interface itself. */
  *end(softc: Softc): Task {
    yield* this.detach(softc);
    yield* this.free(softc);
  }

  *detach({ ifp, data }: Softc): Task {
    const { net, access } = this;
    if (access === 'locked') yield* this.ioctlLock.lock();
    yield* detachIfnet(net, ifp);
    data.unset();
    if (access === 'locked') yield* this.ioctlLock.unlock();
  }

  *free({ ifp, data }: Softc): Task {
    yield* data.memory.free(`${this.kind}_clone_destroy`);
    yield* freeIfnet(this.net, ifp);
  }

  private methods(data: SoftcData): IfMethods {
    return {
      ioctl: () => this.request(data),
      *transmit() {
        return (yield* data.memory.use('transmit')) ? undefined : 'ENXIO';
      },
    };
  }

  private *request(data: SoftcData): Task<Errno | undefined> {
    if (this.access === 'none') return undefined;
    const why = `${this.kind}_ioctl`;
    if (this.access === 'unlocked') return (yield* data.memory.use(why)) ? undefined : 'ENXIO';
    yield* this.ioctlLock.lock();
    const isThere = !data.isGone && (yield* data.memory.use(why));
    yield* this.ioctlLock.unlock();
    return isThere ? undefined : 'ENXIO';
  }
}

/**
 * ether_gen_addr() (net/if_ethersubr.c) hashes what differs from machine to machine under 58:9c:fc, the FreeBSD
 * Foundation's prefix. Invented: driver and unit instead, so that a run is the same each time.
 */
function macOf({ dname, dunit = 0, name }: Ifnet): MacAddress {
  const kind = [...dname].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) & 0x7f, 7);
  const end = name.endsWith('b') ? 0x80 : 0;
  const bytes = [0x58, 0x9c, 0xfc, kind | end, (dunit >> 8) & 0xff, dunit & 0xff];
  return mac(bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
}
