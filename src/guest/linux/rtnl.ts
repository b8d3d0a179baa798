/**
 * The RTNL and what runs when it is released. Source: net/core/rtnetlink.c (rtnl_unlock()), net/core/dev.c
 * (netdev_run_todo(), netdev_wait_allrefs_any()).
 */
import { assert } from '../../base/assert.ts';
import { ms, seconds } from '../../base/time.ts';
import { Mutex } from '../../sim/mutex.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Netdev } from './netdev.ts';
import type { NotifierChain } from './notifier.ts';

/** WAIT_REFS_MIN_MSECS and WAIT_REFS_MAX_MSECS: the pauses between two looks at the reference count. */
const WAIT_REFS_MIN = ms(1);
const WAIT_REFS_MAX = ms(250);
/** How often NETDEV_UNREGISTER is raised again for a device that somebody still holds. */
const REBROADCAST = seconds(1);
/** netdev_unregister_timeout_secs: how often the kernel complains. */
const COMPLAIN = seconds(10);
/** A hold that is worth telling: beside the waits for the host nothing should take as long (reference E.5). */
const LONG_HOLD = seconds(1);

export class Rtnl {
  private readonly sim: Simulation;
  private readonly mutex: Mutex;
  private readonly chain: NotifierChain;
  /** net_todo_list: unregistered devices whose end waits for the lock to be released. */
  private todo: Netdev[] = [];

  constructor(sim: Simulation, chain: NotifierChain) {
    this.sim = sim;
    this.mutex = new Mutex(sim, 'rtnl');
    this.chain = chain;
  }

  lock(): Operation<void> {
    return this.mutex.lock();
  }

  tryLock(): Operation<boolean> {
    return this.mutex.tryLock();
  }

  /** What a work item gives that has to try again. */
  get busy(): Mutex {
    return this.mutex;
  }

  /** Releases the lock, then ends the devices that were unregistered under it. */
  *unlock(): Task {
    const todo = this.todo;
    this.todo = [];
    this.tellOfLongHold();
    yield* this.mutex.unlock();
    for (const dev of todo) yield* this.finish(dev);
  }

  /** For code that relies on its caller: our own mistake if the lock is free. */
  assertHeld(what: string): void {
    assert(this.mutex.heldBy() === this.sim.current || this.sim.current === undefined, `${what} without the RTNL`);
  }

  finishLater(dev: Netdev): void {
    this.todo.push(dev);
  }

  /** Where timers may fire any time a hold is as long as the order makes it, and says nothing of the guest. */
  private tellOfLongHold(): void {
    if (!this.sim.isTimed) return;
    const { since, sinceStep } = this.mutex;
    const held = this.sim.clock.now - since;
    if (held >= LONG_HOLD) this.sim.trace.emit({ kind: 'rtnl.held', held, since, sinceStep });
  }

  /** Waits, without the lock, until nobody refers to the device any more. */
  private *finish(dev: Netdev): Task {
    dev.state = 'unregistered';
    const { now: since, steps: sinceStep } = this.sim;
    let pause = WAIT_REFS_MIN;
    let rebroadcastAt = since + REBROADCAST;
    let complainAt = since + COMPLAIN;
    while ((yield* dev.references.get()) > 0) {
      yield* this.sim.sleep(pause, `the last reference to ${dev.name}`);
      pause = Math.min(pause * 2, WAIT_REFS_MAX);
      if (this.sim.now >= rebroadcastAt) {
        yield* this.mutex.lock();
        yield* this.chain.call('NETDEV_UNREGISTER', dev);
        yield* this.mutex.unlock();
        rebroadcastAt = this.sim.now + REBROADCAST;
      }
      if (this.sim.now >= complainAt) {
        const references = dev.references.now;
        this.sim.trace.emit({ kind: 'netdev.held', dev: dev.dev, references, since, sinceStep });
        const text = `unregister_netdevice: waiting for ${dev.name} to become free. Usage count = ${references + 1}`;
        this.sim.trace.emit({ kind: 'log', level: 'err', dev: dev.dev, text });
        complainAt = this.sim.now + COMPLAIN;
      }
    }
  }
}
