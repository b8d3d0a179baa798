import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';

/**
 * /dev/tunN: one program at a time has it open, and only that can close it; here none ever does.
 * Source: net/if_tuntap.c (tunopen(), tunclose(), tun_busy_locked()), from memory.
 */
export class TunDevice extends SharedObject {
  private isOpen = false;
  private isDying = false;

  /** ENXIO when it goes, EBUSY when somebody has it open. */
  open(): Operation<Errno | undefined> {
    return new Operation(this, 'open');
  }

  /** Nobody can open it from here on; false, and nothing happens, when somebody has it open. */
  dieUnlessOpen(): Operation<boolean> {
    return new Operation(this, 'dieUnlessOpen');
  }

  /** Nobody can open it from here on, and whoever has it open has nothing any more. */
  seize(): Operation<void> {
    return new Operation(this, 'seize');
  }

  /** Nobody can open it from here on; whoever has it open has it still. */
  die(): Operation<void> {
    return new Operation(this, 'die');
  }

  /** cv_wait() of tun_destroy(): until whoever has it open closes it. */
  lastClose(): Operation<void> {
    return new Operation(this, 'lastClose');
  }

  enabled({ kind }: Operation): boolean {
    return kind !== 'lastClose' || !this.isOpen;
  }

  perform({ kind }: Operation): Errno | boolean | undefined {
    switch (kind) {
      case 'open':
        if (this.isDying) return 'ENXIO';
        if (this.isOpen) return 'EBUSY';
        this.isOpen = true;
        return undefined;
      case 'dieUnlessOpen':
        if (!this.isOpen) this.isDying = true;
        return !this.isOpen;
      case 'seize':
      case 'die':
        this.isDying = true;
        if (kind === 'seize') this.isOpen = false;
        return undefined;
      default:
        return undefined;
    }
  }

  peek(): string {
    return `${this.isOpen ? 'open' : 'closed'}${this.isDying ? ', dying' : ''}`;
  }
}
