/** Why a machine's run came back, and how it is said when its guest does not go on. */

/** Why nothing more is to be expected of a guest. */
export type GuestEnd =
  /** The kernel says that it has stopped. */
  | 'panic'
  /** The processor sleeps with interrupts off. */
  | 'stopped'
  /** The guest has switched the machine off. */
  | 'off'
  /** The guest wants the machine to begin anew. */
  | 'reset'
  /** The guest does what the emulated processor has no answer to. */
  | 'trap';

/** Why `RealMachine.runUntil` came back. */
export type RunEnd = 'held' | 'time' | 'slices' | GuestEnd;

/** What of a machine says more about its end. */
interface Said {
  readonly panic: string | undefined;
  readonly trap: string | undefined;
}

/** What stands before a line of the kernel's (CONFIG_PRINTK_TIME). */
const STAMP = /^\[[ \d]+\.\d+\] /;

/** How it is that a guest does not go on, in words. */
export function sayEnd({ panic, trap }: Said, end: GuestEnd): string {
  switch (end) {
    case 'panic':
      return `the guest has panicked: ${panic?.replace(STAMP, '') ?? 'it does not say why'}`;
    case 'stopped':
      return 'the guest has stopped: its processor sleeps with interrupts off';
    case 'off':
      return 'the guest has switched itself off';
    case 'reset':
      return 'the guest wants to begin anew';
    case 'trap':
      return `the emulated processor cannot go on: ${trap}`;
  }
}
