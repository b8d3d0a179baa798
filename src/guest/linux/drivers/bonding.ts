/**
 * The bonding driver in its default mode, balance-rr, without link monitoring: how a master takes slaves and gives them
 * back, what it passes on to them, what is told of it. Source: drivers/net/bonding/bond_main.c, Linux 6.1.
 * What this leaves out: traffic (a bond sends by nobody), all other modes, MII and ARP monitoring, VLANs, options, bonds
 * in bonds, slaves that are no Ethernet devices, the device that the module makes when it is loaded (max_bonds). Features
 * are not modelled: what the kernel recomputes is told of here as there, for it is told of whether it changes or not.
 */
import type { MacAddress } from '../../../base/mac.ts';
import { ms } from '../../../base/time.ts';
import type { Mutex } from '../../../sim/mutex.ts';
import type { Task } from '../../../sim/operation.ts';
import { Work } from '../../../sim/work.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/linux.ts';
import { closeDevice, openDevice, setAllmulti, setFlags, setMac, setMtu, setPromiscuity, writeMac } from '../device.ts';
import type { LinuxKernel } from '../kernel.ts';
import type { LinkAddress, LinkKind } from '../links.ts';
import type { Module } from '../modules.ts';
import { ADDR_ASSIGN, IFF_BONDING, Netdev } from '../netdev.ts';
import type { NotifierBlock } from '../notifier.ts';
import { linkToMaster, registerRxHandler, unlinkFromMaster } from '../upper.ts';
import { isUnicast } from './ethernet.ts';

/** ETH_MIN_MTU and ETH_MAX_MTU (uapi/linux/if_ether.h). */
const MTU_MIN = 68;
const MTU_MAX = 0xffff;
/** `queue_delayed_work(bond->wq, &bond->mcast_work, 1)`: one jiffy, with Debian's HZ of 250. */
const JIFFY = ms(4);

export function bonding(kernel: LinuxKernel): Module {
  const { net } = kernel;
  const bonds = new Map<Netdev, Bond>();
  const kind: LinkKind = {
    name: 'bond',
    make: (dev, address) => {
      const bond = new Bond(kernel, kind, dev, address);
      bonds.set(bond.netdev, bond);
      return bond.netdev;
    },
    *started(netdev) {
      yield* kernel.linkWatch.carrier(netdev, false);
    },
  };
  /** bond_netdev_event(): a slave that ends, or moves away, is given back. */
  const notifier: NotifierBlock = {
    name: 'bonding',
    priority: 0,
    *notify(event, dev) {
      const bond = dev.master === undefined ? undefined : bonds.get(dev.master);
      if (event === 'NETDEV_UNREGISTER' && bond !== undefined) yield* bond.release(dev, 'it ends');
      return 'done';
    },
  };
  return {
    name: 'bonding',
    *load() {
      net.linkKinds.add(kind);
      yield* net.addNotifier(notifier);
    },
    *unload() {
      yield* net.removeNotifier(notifier);
      yield* net.rtnl.lock();
      yield* net.linkKinds.remove(net, kind);
      yield* net.rtnl.unlock();
    },
  };
}

/** struct slave. */
interface Slave {
  readonly dev: Netdev;
  readonly mtuBefore: number;
  readonly macBefore: MacAddress;
}

/** Why a slave is given back: user mode said so, the slave ends, or its bond does. */
type Why = 'asked' | 'it ends' | 'bond ends';

/** struct bonding. All under the RTNL. */
class Bond {
  readonly netdev: Netdev;
  private readonly kernel: LinuxKernel;
  private readonly slaves: Slave[] = [];
  /** curr_active_slave: in this mode of no meaning but that its going is told of. */
  private current: Slave | undefined;
  private readonly resend: Work;

  constructor(kernel: LinuxKernel, kind: LinkKind, dev: string, { mac, addrAssignType }: LinkAddress) {
    this.kernel = kernel;
    this.resend = new Work(kernel.sim, `${dev}.mcast_work`, () => this.resendIgmp());
    this.netdev = new Netdev(kernel.sim, {
      dev,
      kind,
      mac,
      addrAssignType,
      mtuMin: MTU_MIN,
      mtuMax: MTU_MAX,
      flags: IFF.BROADCAST | IFF.MULTICAST | IFF.MASTER,
      privFlags: IFF_BONDING,
      carrier: true,
      isLocal: true,
      ops: {
        open: noError,
        stop: () => this.stop(),
        startXmit: nothing,
        changeMtu: (mtu) => this.changeMtu(mtu),
        changeRxFlags: (changed) => this.changeRxFlags(changed),
        setMac: (address) => this.setMac(address),
        addSlave: (slave) => this.enslave(slave),
        delSlave: (slave) => this.release(slave, 'asked'),
        uninit: () => this.uninit(),
      },
    });
  }

  /** bond_enslave(). */
  private *enslave(dev: Netdev): Task<Errno | undefined> {
    const { netdev } = this;
    const { net } = this.kernel;
    if (dev.rxHandler !== undefined) return 'EBUSY'; // Device is in use and cannot be enslaved
    if (dev === netdev) return 'EPERM'; // Cannot enslave bond to itself.
    if (dev.up) return 'EPERM'; // Device can not be enslaved while up
    yield* net.chain.call('NETDEV_JOIN', dev);
    if (this.slaves.length === 0 && netdev.addrAssignType === ADDR_ASSIGN.random) yield* this.stealMac(dev);
    const slave: Slave = { dev, mtuBefore: dev.mtu, macBefore: dev.devAddr };
    const mtuErrno = yield* setMtu(net, dev, netdev.mtu);
    if (mtuErrno !== undefined) return this.failed(mtuErrno, dev);
    const macErrno = yield* setMac(net, dev, netdev.devAddr);
    if (macErrno !== undefined) {
      yield* setMtu(net, dev, slave.mtuBefore);
      return this.failed(macErrno, dev);
    }
    yield* setFlags(net, dev, dev.flags.now | IFF.SLAVE); // before it is opened, so that IPv6 leaves it alone
    const errno = (yield* openDevice(net, dev)) ?? (yield* this.join(slave));
    if (errno === undefined) return undefined;
    yield* this.restore(slave);
    return this.failed(errno, dev);
  }

  /** The second half of bond_enslave(): the slave is up, and its link counts from now on. */
  private *join(slave: Slave): Task<Errno | undefined> {
    const { netdev } = this;
    const { net, linkWatch } = this.kernel;
    const { dev } = slave;
    dev.privFlags |= IFF_BONDING;
    yield* net.chain.call('NETDEV_CHANGELOWERSTATE', dev); // BOND_LINK_UP: nobody monitors it
    const busy = registerRxHandler(dev, () => netdev);
    const errno = busy ?? (yield* linkToMaster(net, dev, netdev));
    if (errno !== undefined) {
      if (busy === undefined) dev.rxHandler = undefined;
      return errno;
    }
    this.slaves.push(slave);
    this.current ??= slave;
    yield* net.chain.call('NETDEV_CHANGELOWERSTATE', dev);
    if ((netdev.flags.now & IFF.PROMISC) !== 0) yield* setPromiscuity(net, dev, 1);
    if ((netdev.flags.now & IFF.ALLMULTI) !== 0) yield* setAllmulti(net, dev, 1);
    yield* net.chain.call('NETDEV_FEAT_CHANGE', netdev); // bond_compute_features()
    yield* linkWatch.carrier(netdev, true);
    return undefined;
  }

  /** __bond_release_one(). EINVAL for a device that is no slave of this bond. */
  *release(dev: Netdev, why: Why): Task<Errno | undefined> {
    const { netdev, slaves } = this;
    const { net, linkWatch } = this.kernel;
    const at = slaves.findIndex((slave) => slave.dev === dev);
    const slave = slaves[at];
    if (slave === undefined) return 'EINVAL';
    const flags = netdev.flags.now;
    yield* net.chain.call('NETDEV_CHANGELOWERSTATE', dev); // it is a backup now
    dev.rxHandler = undefined;
    slaves.splice(at, 1);
    yield* unlinkFromMaster(net, dev);
    yield* setFlags(net, dev, dev.flags.now & ~IFF.SLAVE);
    if (this.current === slave) yield* this.changeCurrent(why === 'bond ends' ? undefined : slaves[0]);
    yield* linkWatch.carrier(netdev, slaves.length > 0);
    if (slaves.length === 0) {
      writeMac(net, netdev, net.linkKinds.randomMac());
      netdev.addrAssignType = ADDR_ASSIGN.random;
      yield* net.chain.call('NETDEV_CHANGEADDR', netdev);
      yield* net.chain.call('NETDEV_RELEASE', netdev);
    }
    yield* net.chain.call('NETDEV_FEAT_CHANGE', netdev);
    if ((flags & IFF.PROMISC) !== 0) yield* setPromiscuity(net, dev, -1);
    if ((flags & IFF.ALLMULTI) !== 0) yield* setAllmulti(net, dev, -1);
    yield* this.restore(slave);
    return undefined;
  }

  /** What the slave was before: closed, with its own address and MTU. */
  private *restore({ dev, macBefore, mtuBefore }: Slave): Task {
    const { net } = this.kernel;
    yield* closeDevice(net, dev);
    yield* setFlags(net, dev, dev.flags.now & ~IFF.SLAVE);
    yield* setMac(net, dev, macBefore);
    yield* setMtu(net, dev, mtuBefore);
    dev.privFlags &= ~IFF_BONDING;
  }

  /** bond_change_active_slave(): in this mode any change makes the bond tell multicast routers again who it is. */
  private *changeCurrent(slave: Slave | undefined): Task {
    this.current = slave;
    if (this.netdev.running.now) yield* this.resend.schedule(JIFFY);
  }

  /** bond_resend_igmp_join_requests_delayed(). */
  private *resendIgmp(): Task<Mutex | undefined> {
    const { net } = this.kernel;
    if (!(yield* net.rtnl.tryLock())) return net.rtnl.busy;
    yield* net.chain.call('NETDEV_RESEND_IGMP', this.netdev);
    yield* net.rtnl.unlock();
    return undefined;
  }

  /** bond_set_dev_addr(): the first slave's address is the bond's, when nobody has chosen one. */
  private *stealMac(dev: Netdev): Task {
    const { net } = this.kernel;
    yield* net.chain.call('NETDEV_PRE_CHANGEADDR', this.netdev);
    writeMac(net, this.netdev, dev.devAddr);
    this.netdev.addrAssignType = ADDR_ASSIGN.stolen;
    yield* net.chain.call('NETDEV_CHANGEADDR', this.netdev);
  }

  /** The end of bond_enslave() where it fails: a stolen address is not kept. */
  private failed(errno: Errno, dev: Netdev): Errno {
    const { net } = this.kernel;
    if (this.slaves.length === 0 && this.netdev.devAddr === dev.devAddr) {
      writeMac(net, this.netdev, net.linkKinds.randomMac());
      this.netdev.addrAssignType = ADDR_ASSIGN.random;
    }
    return errno;
  }

  /** bond_close(). */
  private *stop(): Task {
    yield* this.resend.cancel();
  }

  /** bond_change_mtu(): all slaves, or none. */
  private *changeMtu(mtu: number): Task<Errno | undefined> {
    const { net } = this.kernel;
    for (const [at, { dev }] of this.slaves.entries()) {
      const errno = yield* setMtu(net, dev, mtu);
      if (errno === undefined) continue;
      for (const slave of this.slaves.slice(0, at)) yield* setMtu(net, slave.dev, this.netdev.mtu);
      return errno;
    }
    return undefined;
  }

  /** bond_set_mac_address(): all slaves, or none. */
  private *setMac(mac: MacAddress): Task<Errno | undefined> {
    const { net } = this.kernel;
    if (!isUnicast(mac)) return 'EADDRNOTAVAIL';
    for (const [at, { dev }] of this.slaves.entries()) {
      const errno = yield* setMac(net, dev, mac);
      if (errno === undefined) continue;
      for (const slave of this.slaves.slice(0, at)) yield* setMac(net, slave.dev, this.netdev.devAddr);
      return errno;
    }
    writeMac(net, this.netdev, mac);
    return undefined;
  }

  /** bond_change_rx_flags(). */
  private *changeRxFlags(changed: number): Task {
    const { net } = this.kernel;
    const by = (flag: number): 1 | -1 => ((this.netdev.flags.now & flag) !== 0 ? 1 : -1);
    for (const { dev } of this.slaves) {
      if ((changed & IFF.PROMISC) !== 0) yield* setPromiscuity(net, dev, by(IFF.PROMISC));
      if ((changed & IFF.ALLMULTI) !== 0) yield* setAllmulti(net, dev, by(IFF.ALLMULTI));
    }
  }

  /** bond_uninit(). */
  private *uninit(): Task {
    for (const { dev } of [...this.slaves]) yield* this.release(dev, 'bond ends');
  }
}

function* noError(): Task<Errno | undefined> {
  return undefined;
}

function* nothing(): Task {}
