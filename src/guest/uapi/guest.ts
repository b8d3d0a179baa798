/** What the machine, and the stage that scenarios act on, need of a guest, whichever it is. */
import type { Task } from '../../sim/operation.ts';
import type { Path } from '../../trace/event.ts';
import type { Errno } from './errno.ts';
import type { GuestUapi } from './uapi.ts';

/** A network device as reports see it: no operation, and nobody waits. */
export interface GuestDevice {
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly flags: { readonly now: number };
  readonly master: { readonly dev: string } | undefined;
  /** Its namespace, or its vnet. */
  readonly netns: { readonly name: string } | undefined;
}

/** A call inside of the guest's kernel that is to fail: plain data. */
export interface GuestCallFault {
  readonly call: string;
  /** The scenario's name of the device that the call is made for. */
  readonly dev: string;
  readonly errno: Errno;
  /** How often it strikes. */
  readonly times: number;
  /** The strategy is asked each time the call is made; else it always fails. */
  readonly may: boolean;
}

export interface Guest extends GuestUapi {
  /** Connects to the VMBus and loads modules in this order. */
  boot(modules: readonly string[]): Task<Errno | undefined>;
  /** The device of a scenario's name that user mode can see, if there is one. */
  netdevOf(dev: string): GuestDevice | undefined;
  /** The path that a frame sent on this NIC takes now. */
  pathOf(nic: string): Path;
  /** Makes a call inside of its kernel fail from now on; a guest that has no such calls is without it. */
  failCall?(fault: GuestCallFault): void;
}
