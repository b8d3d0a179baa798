/**
 * The netdevice notifier chain. Source: kernel/notifier.c, net/core/dev.c (call_netdevice_notifiers_info()).
 * What this leaves out: per-namespace chains, and the order between them and the global one.
 */
import { OrderedList, type Prioritised } from '../../base/ordered-list.ts';
import type { Task } from '../../sim/operation.ts';
import type { Recorder } from '../../trace/recorder.ts';
import type { Errno } from '../uapi/errno.ts';
import type { Netdev } from './netdev.ts';

/** enum netdev_cmd (linux/netdevice.h). Numbers shift between versions, so only the names are used. */
export type NetdevEvent =
  | 'NETDEV_UP'
  | 'NETDEV_DOWN'
  | 'NETDEV_CHANGE'
  | 'NETDEV_REGISTER'
  | 'NETDEV_UNREGISTER'
  | 'NETDEV_PRE_UNINIT'
  | 'NETDEV_CHANGEMTU'
  | 'NETDEV_CHANGEADDR'
  | 'NETDEV_PRE_CHANGEADDR'
  | 'NETDEV_GOING_DOWN'
  | 'NETDEV_CHANGENAME'
  | 'NETDEV_FEAT_CHANGE'
  | 'NETDEV_PRE_UP'
  | 'NETDEV_POST_INIT'
  | 'NETDEV_RELEASE'
  | 'NETDEV_NOTIFY_PEERS'
  | 'NETDEV_RESEND_IGMP'
  | 'NETDEV_CHANGELOWERSTATE'
  | 'NETDEV_JOIN'
  | 'NETDEV_CHANGEUPPER'
  | 'NETDEV_PRECHANGEMTU'
  | 'NETDEV_PRECHANGEUPPER';

/**
 * What a callback answers: `done` (not interested) and `ok` go on; `stop` ends the chain without an error; `bad` ends
 * it with EPERM; an errno ends it with that (NOTIFY_DONE 0, NOTIFY_OK 1, NOTIFY_STOP 0x8001, NOTIFY_BAD 0x8002,
 * notifier_from_errno()).
 */
export type Verdict = 'done' | 'ok' | 'stop' | 'bad' | { readonly errno: Errno };

/** struct notifier_block. */
export interface NotifierBlock extends Prioritised {
  readonly notify: (event: NetdevEvent, dev: Netdev) => Task<Verdict>;
  /** The kernel's own listeners are left out of the trace: what they do shows in events of its own. */
  readonly builtIn?: true;
}

/** The chain; whoever calls it holds the RTNL. */
export class NotifierChain {
  private readonly blocks = new OrderedList<NotifierBlock>();
  private readonly trace: Recorder;

  constructor(trace: Recorder) {
    this.trace = trace;
  }

  has(block: NotifierBlock): boolean {
    return this.blocks.has(block);
  }

  add(block: NotifierBlock): void {
    this.blocks.add(block);
  }

  remove(block: NotifierBlock): void {
    this.blocks.remove(block);
  }

  /** Raises an event; the errno with which a callback stopped it, if one did. */
  *call(event: NetdevEvent, dev: Netdev): Task<Errno | undefined> {
    let next = this.blocks.after(undefined);
    while (next !== undefined) {
      const block: NotifierBlock = next;
      next = this.blocks.after(block); // read before the call, as notifier_call_chain() does
      const verdict = yield* block.notify(event, dev);
      this.tell(block, event, dev, verdict);
      if (verdict === 'stop') return undefined;
      if (verdict === 'bad') return 'EPERM';
      if (typeof verdict === 'object') return verdict.errno;
    }
    return undefined;
  }

  /** Raises an event for one listener only: the replay when it comes or goes. */
  *callOne(block: NotifierBlock, event: NetdevEvent, dev: Netdev): Task<Verdict> {
    const verdict = yield* block.notify(event, dev);
    this.tell(block, event, dev, verdict);
    return verdict;
  }

  private tell(block: NotifierBlock, event: NetdevEvent, { dev }: Netdev, verdict: Verdict): void {
    if (block.builtIn === true) return;
    const shown = typeof verdict === 'object' ? verdict.errno : verdict;
    this.trace.emit({ kind: 'notifier', event, dev, notifier: block.name, verdict: shown });
  }
}
