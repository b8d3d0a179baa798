/** What of an interface an expectation asks, and what is found. */
import { IFF } from '../../guest/uapi/linux.ts';
import type { Answer, Question } from '../../scenario/stage.ts';
import type { GuestInterface } from './interfaces.ts';

export type DeviceQuestion = Extract<Question, { readonly dev: string }>;

/**
 * @param all every interface of the guest.
 * @param devOf the scenario's name of one; undefined for what is none of its devices.
 */
export function answerOf(
  question: DeviceQuestion,
  all: readonly GuestInterface[],
  devOf: (one: GuestInterface) => string | undefined,
): Answer {
  const at = all.find((one) => devOf(one) === question.dev);
  if (question.ask === 'present') {
    return { holds: (at !== undefined) === question.present, found: at === undefined ? 'absent' : 'present' };
  }
  if (at === undefined) {
    const isFree = question.ask === 'lease' && !question.held;
    return { holds: isFree, found: `no ${question.dev}` };
  }
  switch (question.ask) {
    case 'up': {
      const up = (at.flags & IFF.UP) !== 0;
      return { holds: up === question.up, found: up ? 'up' : 'down' };
    }
    case 'master': {
      const master = all.find(({ ifindex, netns }) => ifindex === at.master && netns === at.netns);
      const dev = master && (devOf(master) ?? master.name);
      return { holds: dev === question.master, found: dev ?? 'no master' };
    }
    case 'ifname':
      return { holds: at.name === question.ifname, found: at.name };
    case 'netns':
      return { holds: at.netns === question.netns, found: at.netns };
    case 'mtu':
      return { holds: at.mtu === question.mtu, found: String(at.mtu) };
    case 'flag': {
      const set = (at.flags & IFF[question.flag]) !== 0;
      return { holds: set === question.set, found: `flags 0x${at.flags.toString(16)}` };
    }
    case 'lease':
      return { holds: (at.lease !== undefined) === question.held, found: at.lease ?? 'no lease' };
  }
}
