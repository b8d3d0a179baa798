/**
 * Real time beside a guest's own. A guest that has nothing to do waits for the clock on the wall; one that has much to do
 * runs as fast as it can, and what it is late then is forgiven, so that its next `sleep 1` takes a second again.
 */
import { ms } from '../base/time.ts';
import type { Guest } from './boot-guest.ts';

/** So long a busy guest runs before anybody else has a turn: less than a user notices. Invented. */
const TURN_MS = 8;

export class Pace {
  private real = performance.now();
  private virtual: number;
  private readonly guest: Guest;

  constructor(guest: Guest) {
    this.guest = guest;
    this.virtual = guest.now;
  }

  /** Lets the guest go on. Returns how many milliseconds it has nothing to do then; 0 when it has. */
  go(): number {
    const due = this.virtual + ms(performance.now() - this.real);
    if (this.guest.now < due) {
      const end = performance.now() + TURN_MS;
      this.guest.runTo(due, () => performance.now() >= end);
    }
    const ahead = this.virtual + ms(performance.now() - this.real);
    if (this.guest.now < due) {
      this.real = performance.now();
      this.virtual = this.guest.now;
      return 0;
    }
    return Math.max(0, (this.guest.now - ahead) / ms(1));
  }
}
