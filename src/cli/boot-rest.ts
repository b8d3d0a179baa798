/** Whether a guest waits for a line, as far as that can be seen from its console and its processor. */
import { ms, type Nanoseconds, seconds } from '../base/time.ts';
import type { Guest } from './boot-guest.ts';

/** Between two looks. Invented, as all that follow. */
const LOOK = ms(20);
/** A guest whose processor works for less than this share of the time, and prints nothing, rests. */
const BUSY_SHARE = 0.2;
/** Resting so long behind a prompt it waits for a line. */
const BEHIND_PROMPT = 2 * LOOK;
/** A processor that works so long without a word from the guest makes no progress. */
const HANGS = seconds(60);

export class Rest {
  private readonly guest: Guest;
  private restsSince: Nanoseconds;
  private worksSince: Nanoseconds;
  private hasSpoken = false;
  /** It was seen to wait for a line and has been given none: what the kernel says meanwhile changes nothing. */
  private waits = false;

  constructor(guest: Guest) {
    this.guest = guest;
    this.restsSince = guest.now;
    this.worksSince = guest.now;
    guest.machine.console.listeners.push(() => {
      this.hasSpoken = true;
    });
  }

  /** It has worked for very long and said nothing. */
  get hangs(): boolean {
    return this.guest.now - this.worksSince >= HANGS;
  }

  /** It was given a line. */
  typed(): void {
    this.waits = false;
    this.restsSince = this.guest.now;
  }

  /** For how long it has done nothing and said nothing. */
  get silence(): Nanoseconds {
    return this.guest.now - this.restsSince;
  }

  /** Lets it go on for a moment. True when it waits for a line behind a prompt. */
  look(): boolean {
    const { guest } = this;
    const { processor } = guest.machine;
    const [begun, instructions] = [guest.now, processor.instructions];
    this.hasSpoken = false;
    guest.runTo(begun + LOOK);
    // An instruction takes a nanosecond.
    const isBusy = processor.instructions - instructions >= BUSY_SHARE * (guest.now - begun);
    if (isBusy || this.hasSpoken) this.restsSince = guest.now;
    if (!isBusy || this.hasSpoken) this.worksSince = guest.now;
    if (guest.lastLine.length > 0 && this.silence >= BEHIND_PROMPT) this.waits = true;
    return this.waits && this.silence >= BEHIND_PROMPT;
  }
}
