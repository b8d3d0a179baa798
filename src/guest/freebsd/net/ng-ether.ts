/**
 * ng_ether(4): each Ethernet interface has a node in the netgraph of the vnet that it is in, and the node has its name.
 * Nothing is there before the module is loaded. Source: netgraph/ng_ether.c (ng_ether_attach(), ng_ether_detach(),
 * ng_ether_ifnet_arrival_event()), ng_base.c (ng_name_node()), net/if_ethersubr.c (ether_reassign()), from memory;
 * reference A.7, A.13, G-45.
 * What this leaves out: hooks, messages and all other nodes; that an interface can be called what no node can; the end of
 * a vnet, at which netgraph shuts down the nodes that are left (G-46).
 */
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { EventHandler, EventHandlers } from '../kern/eventhandler.ts';
import { PRIORITY } from '../kern/eventhandler.ts';
import { Lock } from '../kern/lock.ts';
import type { Module } from '../kern/modules.ts';
import type { LockClass, Witness } from '../kern/witness.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { Ifnet } from './ifnet.ts';

const NAMES: LockClass = { name: 'netgraph name hash', kind: 'mutex' };

interface Node {
  readonly vnet: Vnet;
  name: string | undefined;
}

export interface NgEtherParts {
  readonly sim: Simulation;
  readonly witness: Witness;
  readonly events: EventHandlers;
  /** Every interface that is on a list, with its vnet. */
  readonly all: () => readonly Ifnet[];
  /** Whether a node is left alone that has the name already. */
  readonly looksFirst: boolean;
}

export class NgEther {
  private readonly parts: NgEtherParts;
  /** IFP2NG(): with the lock. */
  private readonly nodes = new Map<Ifnet, Node>();
  private readonly lock: Lock;
  /** ng_ether_attach_p and its kin: set while the module is there. */
  private isLoaded = false;
  private readonly pointers: Place;
  private readonly arrival: EventHandler<'ifnet_arrival_event'>;

  constructor(parts: NgEtherParts) {
    this.parts = parts;
    this.lock = new Lock(parts.sim, parts.witness, NAMES);
    this.pointers = new Place(parts.sim);
    this.arrival = { name: 'ng_ether', priority: PRIORITY.ANY, handle: (ifp) => this.arrived(ifp) };
  }

  get module(): Module {
    return { name: 'ng_ether', load: () => this.load(), unload: () => this.unload() };
  }

  /** ether_ifattach(). */
  *attach(ifp: Ifnet): Task {
    this.pointers.read();
    if (this.isLoaded && ifp.type === 'ether') yield* this.make(ifp, yield* ifp.vnet.get());
  }

  /** ether_ifdetach(). */
  *detach(ifp: Ifnet): Task {
    this.pointers.read();
    if (!this.isLoaded) return;
    yield* this.lock.lock();
    this.nodes.delete(ifp);
    yield* this.lock.unlock();
  }

  /** ether_reassign(): another node, in the vnet that the interface goes to, and the arrival is still to come. */
  *reassign(ifp: Ifnet, to: Vnet): Task {
    this.pointers.read();
    if (!this.isLoaded || ifp.type !== 'ether') return;
    yield* this.detach(ifp);
    yield* this.make(ifp, to);
  }

  private *load(): Task {
    this.pointers.write();
    this.isLoaded = true;
    yield* this.parts.events.register('ifnet_arrival_event', this.arrival);
    for (const ifp of this.parts.all()) yield* this.attach(ifp);
  }

  private *unload(): Task {
    yield* this.parts.events.deregister('ifnet_arrival_event', this.arrival);
    this.pointers.write();
    this.isLoaded = false;
    yield* this.lock.lock();
    this.nodes.clear();
    yield* this.lock.unlock();
  }

  private *make(ifp: Ifnet, vnet: Vnet): Task {
    const node: Node = { vnet, name: undefined };
    yield* this.lock.lock();
    const isNew = !this.nodes.has(ifp);
    if (isNew) this.nodes.set(ifp, node);
    const named = isNew && this.give(node, ifp.name);
    yield* this.lock.unlock();
    if (isNew && !named) this.warn(ifp, `can't name node ${ifp.name}`);
  }

  /** A rename is an arrival too, and so is the end of a move: the node is named again, if there is one. */
  private *arrived(ifp: Ifnet): Task {
    yield* this.lock.lock();
    const node = this.nodes.get(ifp);
    const isDone = node === undefined || (this.parts.looksFirst && node.name === ifp.name);
    const named = isDone || this.give(node, ifp.name);
    yield* this.lock.unlock();
    if (!named) this.warn(ifp, `ng_ether_ifnet_arrival_event: can't re-name node ${ifp.name}`);
  }

  /** ng_name_node(): false (EADDRINUSE) when a node of the vnet has the name, also when it is this one. */
  private give(node: Node, name: string): boolean {
    for (const other of this.nodes.values()) if (other.vnet === node.vnet && other.name === name) return false;
    node.name = name;
    return true;
  }

  private warn({ dev }: Ifnet, text: string): void {
    this.parts.sim.trace.emit({ kind: 'log', level: 'warn', dev, text });
  }
}
