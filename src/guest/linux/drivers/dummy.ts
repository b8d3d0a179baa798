/**
 * The dummy driver: devices that are always connected, to nothing. Source: drivers/net/dummy.c.
 * What this leaves out: the device that the module makes when it is loaded (numdummies), a carrier that user mode takes
 * away, VF attributes.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/linux.ts';
import type { LinuxKernel } from '../kernel.ts';
import type { LinkAddress, LinkKind } from '../links.ts';
import type { Module } from '../modules.ts';
import { Netdev } from '../netdev.ts';
import { takeMac } from './ethernet.ts';

/** dummy_setup() sets neither bound (min_mtu, max_mtu 0); the attribute itself has 32 bits with a sign. */
const MTU_MAX = 0x7fff_ffff;

export function dummy({ sim, net }: LinuxKernel): Module {
  const make = (dev: string, { mac, addrAssignType }: LinkAddress): Netdev => {
    const netdev: Netdev = new Netdev(sim, {
      dev,
      kind,
      mac,
      addrAssignType,
      mtuMin: 0,
      mtuMax: MTU_MAX,
      flags: IFF.BROADCAST | IFF.NOARP,
      carrier: true,
      ops: {
        open: noError,
        stop: nothing,
        startXmit: nothing,
        setMac: (address) => takeMac(net, netdev, address),
      },
    });
    return netdev;
  };
  const kind: LinkKind = { name: 'dummy', make };
  return {
    name: 'dummy',
    *load() {
      net.linkKinds.add(kind);
    },
    *unload() {
      yield* net.rtnl.lock();
      yield* net.linkKinds.remove(net, kind);
      yield* net.rtnl.unlock();
    },
  };
}

function* noError(): Task<Errno | undefined> {
  return undefined;
}

function* nothing(): Task {}
