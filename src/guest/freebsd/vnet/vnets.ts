/**
 * Vnets come and go: constructors in order, destructors in the reverse one. Source: net/vnet.c (vnet_alloc(),
 * vnet_destroy(), vnet_sysinit(), vnet_sysuninit()); reference D.3.
 */
import type { Task } from '../../../sim/operation.ts';
import { type FreebsdNet, fixed, kernelAssert } from '../net.ts';
import { SUBSYSTEMS, type Subsystem, type Vnet } from './vnet.ts';
import { VnetVariables } from './vnet-variables.ts';

/** VNET_SYSINIT() and VNET_SYSUNINIT() of a part of the stack. Each runs with curvnet set to the vnet. */
export interface VnetPart {
  readonly name: string;
  readonly subsystem: Subsystem;
  readonly construct?: (vnet: Vnet) => Task;
  readonly destruct?: (vnet: Vnet) => Task;
  /** What there is of it for a vnet now: nothing, once the vnet has ended (INV-D3). */
  readonly census?: (vnet: Vnet) => Census;
}

/** Objects, timers that are armed, and tasks that are queued; those that a part has not are left out. */
export interface Census {
  readonly objects?: number;
  readonly timers?: number;
  readonly tasks?: number;
}

const orderOf = ({ subsystem }: VnetPart): number => SUBSYSTEMS.indexOf(subsystem);

/** Whether its destruction has begun and interfaces are not on their way home any more (D.3): ioctls get EBUSY. */
export function isShuttingDown({ state, stage }: Vnet): boolean {
  return state === 'destroying' && stage !== undefined && stage !== 'VNET_DONE';
}

export class Vnets {
  readonly variables: VnetVariables;
  private readonly net: FreebsdNet;
  /** By the order of their subsystems; those of one in the order of registering. With the sysinit lock. */
  private readonly parts: VnetPart[] = [];

  constructor(net: FreebsdNet) {
    this.net = net;
    this.variables = new VnetVariables(net);
  }

  /** For parts that are there before anything runs. */
  preset(part: VnetPart): void {
    const at = this.parts.findIndex((other) => orderOf(other) > orderOf(part));
    this.parts.splice(at === -1 ? this.parts.length : at, 0, part);
  }

  /** vnet_register_sysinit(): a module brings a part; it is constructed in all vnets that are on the list. */
  *register(part: VnetPart): Task {
    const { net } = this;
    yield* net.sysinitLock.lock();
    this.preset(part);
    for (const vnet of net.vnets)
      if (part.construct !== undefined) yield* net.curvnet.within(vnet, part.construct(vnet));
    yield* net.sysinitLock.unlock();
  }

  /** vnet_deregister_sysuninit(). What its destructors detach wants a lock that a vnet's end takes before this one. */
  *deregister(part: VnetPart): Task {
    const { net } = this;
    const locks = fixed(net, 'unload-locks-detach');
    if (locks) yield* net.detachLock.lock();
    yield* net.sysinitLock.lock();
    for (const vnet of net.vnets) if (part.destruct !== undefined) yield* net.curvnet.within(vnet, part.destruct(vnet));
    const at = this.parts.indexOf(part);
    if (at !== -1) this.parts.splice(at, 1);
    yield* net.sysinitLock.unlock();
    if (locks) yield* net.detachLock.unlock();
  }

  /** vnet_alloc(). A part that comes between the constructors and the listing is never constructed here (G-43). */
  *create(name: string): Task<Vnet> {
    const { net } = this;
    const vnet = net.newVnet(name);
    this.tell(vnet, 'constructing');
    const listedFirst = fixed(net, 'vnet-listed-first');
    if (!listedFirst) this.variables.copyInto(vnet);
    yield* net.sysinitLock.lockShared();
    if (listedFirst) {
      this.variables.copyInto(vnet);
      yield* net.list(vnet);
    }
    for (const part of [...this.parts]) {
      vnet.stage = part.subsystem;
      if (part.construct !== undefined) yield* net.curvnet.within(vnet, part.construct(vnet));
    }
    vnet.stage = undefined;
    yield* net.sysinitLock.unlockShared();
    if (!listedFirst) yield* net.list(vnet);
    vnet.state = 'live';
    this.tell(vnet, 'live');
    return vnet;
  }

  /** vnet_destroy(): foreign interfaces go home first, then the parts end in the reverse order. */
  *destroy(vnet: Vnet): Task {
    const { net } = this;
    yield* net.unlist(vnet);
    vnet.state = 'destroying';
    this.tell(vnet, 'destroying');
    const locks = fixed(net, 'detach-lock');
    if (locks) yield* net.detachLock.lock();
    yield* net.sysinitLock.lockShared();
    for (const part of [...this.parts].reverse()) {
      vnet.stage = part.subsystem;
      if (part.destruct !== undefined) yield* net.curvnet.within(vnet, part.destruct(vnet));
    }
    yield* net.sysinitLock.unlockShared();
    if (locks) yield* net.detachLock.unlock();
    this.variables.drop(vnet);
    for (const [what, count] of this.censusOf(vnet))
      kernelAssert(net, count === 0, '', `${vnet.name} ends with ${what}`);
    vnet.state = 'destroyed';
    this.tell(vnet, 'destroyed');
  }

  /** How much there is of a vnet, part by part: `timers of ipreass`. */
  censusOf(vnet: Vnet): ReadonlyMap<string, number> {
    const { interfaces, groups } = vnet;
    const counts = new Map([
      ['interfaces on its list', interfaces.now.length],
      ['interface groups', groups.names.length],
      ['variables', this.variables.copiesOf(vnet)],
    ]);
    for (const { name, census } of this.parts) {
      for (const [kind, count] of Object.entries(census?.(vnet) ?? {})) counts.set(`${kind} of ${name}`, count);
    }
    return counts;
  }

  private tell({ name }: Vnet, state: string): void {
    this.net.sim.trace.emit({ kind: 'vnet', vnet: name, state });
  }
}
