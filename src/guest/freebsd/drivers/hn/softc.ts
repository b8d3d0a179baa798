/**
 * One synthetic NIC as hn(4) keeps it. Source: sys/dev/hyperv/netvsc/if_hnvar.h (struct hn_softc); reference E.1. Who
 * writes which field is said there; what is read without the HN lock is a cell.
 */
import type { Nanoseconds } from '../../../../base/time.ts';
import { Cell } from '../../../../sim/cell.ts';
import type { Task } from '../../../../sim/operation.ts';
import { Place } from '../../../../sim/place.ts';
import type { WaitCell } from '../../../../sim/wait-cell.ts';
import { Work } from '../../../../sim/work.ts';
import type { LogLevel } from '../../../../trace/event.ts';
import type { RndisMessage } from '../../../../wire/rndis.ts';
import { Sends } from '../../../hv/sends.ts';
import type { VmbusClient } from '../../../hv/vmbus-client.ts';
import type { EventHandler } from '../../kern/eventhandler.ts';
import { Lock } from '../../kern/lock.ts';
import { KernelMemory } from '../../kern/memory.ts';
import type { LockClass } from '../../kern/witness.ts';
import type { FreebsdKernel } from '../../kernel.ts';
import type { Ifnet, InputMethod } from '../../net/ifnet.ts';
import type { VmbusDevice } from '../vmbus.ts';
import type { NvsSession } from './nvs.ts';
import type { VfMap } from './vf-map.ts';

const HN_LOCK: LockClass = { name: 'hn_lock', kind: 'sx' };
const VF_LOCK: LockClass = { name: 'hn vf_lock', kind: 'rm' };

/** What is kept of hn while a ready VF narrows it (hn_saved_caps and its kin). */
export interface SavedCapabilities {
  readonly capabilities: number;
  readonly enabled: number;
}

/** Which handlers an hn has registered. */
export interface HnHandlers {
  readonly arrival: EventHandler<'ether_ifattach_event'>;
  readonly departure: EventHandler<'ifnet_departure_event'>;
  readonly link?: EventHandler<'ifnet_link_event'>;
  readonly upDown?: EventHandler<'ifnet_event'>;
  readonly address?: EventHandler<'ifaddr_event'>;
}

/** What its tasks do; bound when it is made. */
export interface HnBodies {
  readonly link: (hn: Hn) => Task;
  readonly network: (hn: Hn) => Task;
  readonly networkOver: (hn: Hn) => Task;
  readonly ready: (hn: Hn) => Task;
}

export class Hn {
  readonly kernel: FreebsdKernel;
  readonly client: VmbusClient;
  readonly device: VmbusDevice;
  /** The scenario's name: `nic1`. */
  readonly dev: string;
  readonly map: VfMap;
  /** Taken in steps of a millisecond by whoever may not sleep for it; here it is a lock like any other. */
  readonly lock: Lock;
  /** Shared by whoever sends by the VF. */
  readonly vfLock: Lock;
  readonly memory: KernelMemory;
  /** Undefined while nothing synthetic is attached. Written with the HN lock. */
  readonly session: Cell<NvsSession | undefined>;
  /** Frames on their way to the host; none is taken while TX is suspended. */
  readonly sends: Sends;
  /** hn_vf_ifp. */
  readonly vf: Cell<Ifnet | undefined>;
  /** hn_vf_input: what the VF did with its frames before it was paired. With the HN lock. */
  vfInput: InputMethod | undefined;
  /** hn_vf_rdytick: when the VF may become ready; undefined: it is. With the HN lock. */
  vfReadyAt: Nanoseconds | undefined;
  /** HN_XVFFLAG_ENABLED: the VF carries what is sent. */
  readonly vfEnabled: Cell<boolean>;
  /** HN_FLAG_RXVF: without transparent mode, the host sends by the VF. */
  readonly receivesByVf: Cell<boolean>;
  /** With the HN lock; undefined while no VF has been ready. */
  saved: SavedCapabilities | undefined;
  /** hn_mgmt_taskq: whether the link is looked after. */
  readonly managesLink: Cell<boolean>;
  /** HN_LINK_FLAG_NETCHG: the network has changed while nobody looked. */
  readonly networkChanged: Cell<boolean>;
  readonly linkTask: Work;
  readonly networkTask: Work;
  readonly networkOverTask: Work;
  /** hn_vf_init. */
  readonly readyTask: Work;
  /** RNDIS requests that wait for their answer, by number. With {@link requests}. */
  readonly rndisRequests = new Map<number, WaitCell<RndisMessage | 'rescinded'>>();
  nextRndisRequest = 1;
  readonly requests: Place;
  /** The RNDIS packet filter that is set. */
  filter = 0;
  /** While it is attached. */
  handlers: HnHandlers | undefined;
  private interface: Ifnet | undefined;

  constructor(kernel: FreebsdKernel, client: VmbusClient, device: VmbusDevice, map: VfMap, bodies: HnBodies) {
    const { sim, net } = kernel;
    const { dev } = device;
    this.kernel = kernel;
    this.client = client;
    this.device = device;
    this.dev = dev;
    this.map = map;
    this.lock = new Lock(sim, net.witness, HN_LOCK, dev);
    this.vfLock = new Lock(sim, net.witness, VF_LOCK, dev);
    this.requests = new Place(sim);
    this.memory = new KernelMemory(sim, dev, 'hn_softc');
    this.session = new Cell<NvsSession | undefined>(sim, `${dev}.session`, undefined);
    this.sends = new Sends(sim, `${dev}.sends`);
    this.vf = new Cell<Ifnet | undefined>(sim, `${dev}.hn_vf_ifp`, undefined, (vf) => vf?.dev ?? 'none');
    this.vfEnabled = new Cell(sim, `${dev}.xvf_enabled`, false);
    this.receivesByVf = new Cell(sim, `${dev}.rxvf`, false);
    this.managesLink = new Cell(sim, `${dev}.mgmt_taskq`, false);
    this.networkChanged = new Cell(sim, `${dev}.netchg`, false);
    this.linkTask = new Work(sim, `${dev}.link`, () => bodies.link(this));
    this.networkTask = new Work(sim, `${dev}.netchg_init`, () => bodies.network(this));
    this.networkOverTask = new Work(sim, `${dev}.netchg_status`, () => bodies.networkOver(this));
    this.readyTask = new Work(sim, `${dev}.vf_init`, () => bodies.ready(this));
  }

  /** hn_ifp: there from before anything can ask for it. */
  get ifp(): Ifnet {
    return this.interface as Ifnet;
  }

  set ifp(ifp: Ifnet) {
    this.interface = ifp;
  }
}

/** if_printf() and device_printf(). */
export function hnLog({ kernel, dev }: Hn, level: LogLevel, text: string): void {
  kernel.sim.trace.emit({ kind: 'log', level, dev, text });
}

/** pause(9) where the host answers nothing: for so long it is given to do what it was asked for. None is not even a pause. */
export function* giveTime({ kernel }: Hn, why: string): Task {
  const span = kernel.latency.of('hn.grace');
  if (span > 0) yield* kernel.sim.sleep(span, why);
}
