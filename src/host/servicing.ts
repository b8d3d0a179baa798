/**
 * A firmware update of the host's NICs: all VFs are taken away at once, and come back when the gap is over; as often
 * as was asked for.
 * Source: reference E.1 (the sequence as Azure publishes it), C.9 (orders).
 * What this leaves out: the reboot of the NIC itself, failure of the update, NICs that are updated one by one.
 */
import { type Nanoseconds, seconds } from '../base/time.ts';
import type { HostAction } from './action.ts';
import type { HostItem } from './item.ts';
import { type HostPlan, workerOf } from './plan.ts';
import type { Behaviour, Worker } from './worker.ts';

/** How long a round waits for the guest to use its VFs again before the next one begins. Invented. */
const RETURN_LIMIT = seconds(30);

type Update = Extract<HostAction, { do: 'update-firmware' }>;

export type ServicingPhase =
  | { readonly at: 'idle' }
  /** Asks the NICs which of them have a VF. */
  | { readonly at: 'asking'; readonly update: Update; readonly ticket: number; waiting: string[]; having: string[] }
  /** VFs are on their way out. */
  | {
      readonly at: 'revoke';
      readonly update: Update;
      readonly round: number;
      readonly since: Nanoseconds;
      waiting: string[];
      readonly nics: string[];
    }
  /** They are gone, and the gap is not over. */
  | { readonly at: 'gap'; readonly update: Update; readonly round: number; readonly nics: string[] }
  /** They were given back, and are not all in use. */
  | {
      readonly at: 'return';
      readonly update: Update;
      readonly round: number;
      waiting: string[];
      readonly nics: string[];
      readonly token: number;
    };

export interface ServicingState {
  phase: ServicingPhase;
  /** The serial number that a VF gets when it is to come back with another one. */
  nextSerial: number;
  /** Updates that went through to their end. */
  done: number;
}

export const newServicing = (plan: HostPlan): ServicingState => ({
  phase: { at: 'idle' },
  nextSerial: Math.max(0, ...plan.nics.map((nic) => Math.max(nic.serial, nic.pciSerial))) + 1,
  done: 0,
});

export class Servicing implements Behaviour {
  private readonly worker: Worker<ServicingState>;
  private readonly plan: HostPlan;

  constructor(worker: Worker<ServicingState>, plan: HostPlan) {
    this.worker = worker;
    this.plan = plan;
  }

  take(item: HostItem): void {
    switch (item.what) {
      case 'action':
        if (item.action.do === 'update-firmware') this.begin(item.action, item.ticket);
        break;
      case 'has-vf':
        this.heardOf(item.nic, item.has);
        break;
      case 'vf-gone':
        this.vfGone(item.nic);
        break;
      case 'gap-over':
        this.giveBack();
        break;
      case 'vf-carrying':
        this.vfCarrying(item.nic);
        break;
      case 'return-limit':
        this.returnLimit();
        break;
      default:
    }
  }

  private begin(update: Update, ticket: number): void {
    const nics = this.plan.nics.filter((nic) => nic.vf !== undefined).map((nic) => nic.name);
    const problem =
      this.worker.state.phase.at !== 'idle'
        ? 'an update is under way'
        : nics.length === 0
          ? 'no NIC has a VF in the plan'
          : undefined;
    if (problem !== undefined) {
      this.refuse(ticket, problem);
      return;
    }
    this.worker.state.phase = { at: 'asking', update, ticket, waiting: nics, having: [] };
    for (const nic of nics) this.worker.tell(workerOf(nic), { what: 'has-vf?' });
  }

  private heardOf(nic: string, has: boolean): void {
    const { phase } = this.worker.state;
    if (phase.at !== 'asking') return;
    phase.waiting = phase.waiting.filter((one) => one !== nic);
    if (has) phase.having = [...phase.having, nic];
    if (phase.waiting.length > 0) return;
    const { update, ticket, having } = phase;
    this.worker.state.phase = { at: 'idle' };
    if (having.length === 0) {
      this.refuse(ticket, 'no NIC has a VF now');
      return;
    }
    this.worker.send({ to: 'ticket', ticket });
    this.worker.emit({ kind: 'host.action', action: 'update-firmware', dev: having.join(' ') });
    this.revoke(update, 1, having);
  }

  private revoke(update: Update, round: number, nics: string[]): void {
    this.enter('revoke', round);
    const since = this.worker.around.sim.now;
    this.worker.state.phase = { at: 'revoke', update, round, since, waiting: nics, nics };
    for (const nic of nics) this.worker.tell(workerOf(nic), { what: 'service-revoke', order: update.order });
  }

  private vfGone(nic: string): void {
    const { phase } = this.worker.state;
    if (phase.at !== 'revoke') return;
    phase.waiting = phase.waiting.filter((one) => one !== nic);
    if (phase.waiting.length > 0) return;
    const { update, round, since, nics } = phase;
    this.enter('gap', round);
    this.worker.state.phase = { at: 'gap', update, round, nics };
    // The gap is from the revoke to the return; a guest that took longer than that has its VFs back at once.
    const left = Math.max(0, since + update.gap - this.worker.around.sim.now);
    this.worker.after(left, { what: 'gap-over' });
  }

  private giveBack(): void {
    const { phase } = this.worker.state;
    if (phase.at !== 'gap') return;
    const { update, round, nics } = phase;
    this.enter('return', round);
    const token = this.worker.after(RETURN_LIMIT, { what: 'return-limit' });
    this.worker.state.phase = { at: 'return', update, round, waiting: nics, nics, token };
    for (const nic of nics) {
      this.worker.tell(workerOf(nic), { what: 'service-return', ...this.choice(update) });
    }
  }

  private choice({ family, serial }: Update): { readonly family?: string; readonly serial?: number } {
    return {
      ...(family === undefined ? {} : { family }),
      ...(serial === 'same' ? {} : { serial: this.takeSerial() }),
    };
  }

  /** Where VFs come into slots the numbers are few, and come round. */
  private takeSerial(): number {
    const next = this.worker.state.nextSerial++;
    const { vfSlots } = this.plan;
    return vfSlots === undefined ? next : ((next - 1) % vfSlots.length) + 1;
  }

  private vfCarrying(nic: string): void {
    const { phase } = this.worker.state;
    if (phase.at !== 'return') return;
    phase.waiting = phase.waiting.filter((one) => one !== nic);
    if (phase.waiting.length > 0) return;
    this.worker.disarm(phase.token);
    this.nextRound();
  }

  private returnLimit(): void {
    const { phase } = this.worker.state;
    if (phase.at !== 'return') return;
    for (const dev of phase.waiting) {
      this.worker.emit({ kind: 'host.timeout', dev, what: 'the VF carries again', after: RETURN_LIMIT });
    }
    this.nextRound();
  }

  private nextRound(): void {
    const { phase } = this.worker.state;
    if (phase.at !== 'return') return;
    const { update, round, nics } = phase;
    if (round < update.times) {
      this.revoke(update, round + 1, nics);
      return;
    }
    this.worker.state.phase = { at: 'idle' };
    this.worker.state.done++;
    this.enter('done', round);
  }

  private enter(phase: string, round: number): void {
    this.worker.emit({ kind: 'servicing.phase', phase, round });
  }

  private refuse(ticket: number, why: string): void {
    this.worker.send({ to: 'ticket', ticket, refused: why });
    this.worker.emit({ kind: 'host.refused', dev: 'host', what: 'update-firmware', why });
  }
}
