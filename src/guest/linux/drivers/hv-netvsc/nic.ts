/**
 * One synthetic NIC as hv_netvsc keeps it: struct net_device_context, struct netvsc_device and the global list.
 * Source: drivers/net/hyperv/hyperv_net.h, netvsc_drv.c (reference B.1). Who writes which field is said there; what is
 * read without the RTNL is a cell.
 */
import { ZERO_MAC } from '../../../../base/mac.ts';
import { type Nanoseconds, seconds } from '../../../../base/time.ts';
import { Cell } from '../../../../sim/cell.ts';
import { Completion } from '../../../../sim/completion.ts';
import type { Context } from '../../../../sim/context.ts';
import type { WaitCell } from '../../../../sim/wait-cell.ts';
import { Work, type WorkBody } from '../../../../sim/work.ts';
import type { RndisMessage } from '../../../../wire/rndis.ts';
import { Sends } from '../../../hv/sends.ts';
import type { LinuxKernel } from '../../kernel.ts';
import { Netdev, type NetdevOps } from '../../netdev.ts';
import type { HvDevice } from '../../vmbus-core.ts';
import type { NvspSession } from './session.ts';

const MTU_MIN = 68;

/** RNDIS media events that wait their turn (struct netvsc_reconfig). */
export type LinkEvent = 'connect' | 'disconnect' | 'network-change';

/** What lives in other files; bound when the NIC is made. */
export interface NicBodies {
  readonly vfTakeover: WorkBody;
  readonly linkChange: WorkBody;
  readonly vfNamespace: WorkBody;
  readonly netdev: NetdevOps;
}

export class NetvscNic {
  readonly kernel: LinuxKernel;
  readonly device: HvDevice;
  /** The scenario's name: `nic1`. */
  readonly dev: string;
  /** Made with the NIC, so that what the host says early has a device to be told of; address and limits come later. */
  readonly netdev: Netdev;
  /** nvdev: the open session; undefined while detached or removed. Written under the RTNL. */
  readonly session: Cell<NvspSession | undefined>;
  /** Frames on their way to the host, with their sections of the send buffer. */
  readonly sends: Sends;
  /** The NAPI context that serves the channel. */
  napi: Context | undefined;
  /** vf_netdev: the joined VF; transmit reads it without a lock. */
  readonly vf: Cell<Netdev | undefined>;
  /** vf_alloc and vf_serial: what the last VF_ASSOCIATION said; two plain stores by NAPI. */
  readonly vfAlloc: Cell<number>;
  readonly vfSerial: Cell<number>;
  /** vf_add: counts associations that gave a VF. */
  readonly vfAdd: Completion;
  /** The guest's opinion of the data path; transmit reads it without a lock. */
  readonly dataPathIsVf: Cell<boolean>;
  readonly vfTakeover: Work;
  readonly linkChange: Work;
  /** vfns_work. */
  readonly vfNamespace: Work;
  /** reconfig_events: NAPI adds, the link work takes. */
  readonly linkEvents: Cell<readonly LinkEvent[]>;
  lastLinkChange: Nanoseconds = -seconds(3600);
  /** RNDIS requests that wait for their answer, by request id. */
  readonly rndisRequests = new Map<number, WaitCell<RndisMessage>>();
  nextRndisRequest = 1;
  /** rndis: media connected, as queried or indicated. */
  linkUp = true;
  /** The RNDIS packet filter that is set: 0 while closed. */
  filter = 0;

  constructor(kernel: LinuxKernel, device: HvDevice, bodiesOf: (nic: NetvscNic) => NicBodies) {
    this.kernel = kernel;
    this.device = device;
    this.dev = device.dev;
    const { sim } = kernel;
    const bodies = bodiesOf(this);
    const path = `VMBUS:00/${device.channel.offer.instance}`;
    const parent = { bus: 'vmbus', path, driver: 'hv_netvsc' } as const;
    this.netdev = new Netdev(sim, { dev: this.dev, parent, ops: bodies.netdev, mac: ZERO_MAC, mtuMin: MTU_MIN });
    this.session = new Cell<NvspSession | undefined>(sim, `${this.dev}.nvdev`, undefined);
    this.sends = new Sends(sim, `${this.dev}.sends`);
    this.vf = new Cell<Netdev | undefined>(sim, `${this.dev}.vf_netdev`, undefined, (vf) => vf?.dev ?? 'none');
    this.vfAlloc = new Cell(sim, `${this.dev}.vf_alloc`, 0);
    this.vfSerial = new Cell(sim, `${this.dev}.vf_serial`, 0);
    this.vfAdd = new Completion(sim, `${this.dev}.vf_add`);
    this.dataPathIsVf = new Cell(sim, `${this.dev}.data_path_is_vf`, false);
    this.linkEvents = new Cell<readonly LinkEvent[]>(sim, `${this.dev}.reconfig_events`, [], (list) => list.join());
    this.vfTakeover = new Work(sim, `${this.dev}.vf_takeover`, bodies.vfTakeover);
    this.linkChange = new Work(sim, `${this.dev}.dwork`, bodies.linkChange);
    this.vfNamespace = new Work(sim, `${this.dev}.vfns_work`, bodies.vfNamespace);
  }
}

/** netvsc_dev_list: the newest first. Written under RTNL; whoever matches a VF holds it too. */
export class NicList {
  private readonly nics: NetvscNic[] = [];

  add(nic: NetvscNic): void {
    this.nics.unshift(nic);
    this.tell(nic, true);
  }

  remove(nic: NetvscNic): void {
    this.nics.splice(this.nics.indexOf(nic), 1);
    this.tell(nic, false);
  }

  all(): readonly NetvscNic[] {
    return this.nics;
  }

  private tell(nic: NetvscNic, listed: boolean): void {
    nic.kernel.sim.trace.emit({ kind: 'netvsc.listed', nic: nic.dev, mac: nic.netdev.permAddr, listed });
  }
}
