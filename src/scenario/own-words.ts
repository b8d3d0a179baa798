/**
 * What a step says in words that only one family of guests has: such a line runs on the others only with `on linux` or `on
 * freebsd` before it, which leaves it out there.
 */
import { GUESTS, type GuestFamily } from '../machine/guests.ts';
import type { GuestVerb } from './stage.ts';
import type { StepBody } from './step-body.ts';
import type { Names } from './vocabulary.ts';

/** Why a line cannot run on this guest; undefined when it can. */
export function foreignTo(names: Names, body: StepBody): string | undefined {
  const { guest } = names;
  if (guest === undefined) return undefined;
  const own = ownOf(body, names, guest.writtenFor);
  if (own === undefined || own.family === guest.is) return undefined;
  const title = (family: GuestFamily): string => GUESTS[family].title;
  const leave = `write "on ${own.family}" before it, to leave it out on ${title(guest.is)}`;
  return `${own.what} that only ${title(own.family)} has: ${leave}`;
}

interface Own {
  readonly what: string;
  readonly family: GuestFamily;
}

/** Where devices appear. */
const HOME: Readonly<Record<string, GuestFamily>> = { init_net: 'linux', vnet0: 'freebsd' };

/** Linux has some of these too, but its model has no addresses, routes and groups. */
const FREEBSD_COMMANDS: readonly GuestVerb['do'][] = [
  'reclaim-netns',
  'add-address',
  'remove-address',
  'send',
  'join',
  'leave',
  'bind',
  'divert',
  'dispatch',
];

/** `writtenFor`: whose words those are that every guest has, but other ones. */
function ownOf(body: StepBody, { guests }: Names, writtenFor: GuestFamily): Own | undefined {
  switch (body.kind) {
    case 'fail-call':
      return { what: `${body.fault.call} is a call`, family: 'linux' };
    case 'guest': {
      const { command } = body;
      // What names an interface by itself is about one that was cloned.
      if (FREEBSD_COMMANDS.includes(command.do) || 'ifname' in command)
        return { what: 'this is a command', family: 'freebsd' };
      if (command.do !== 'load' && command.do !== 'unload') return undefined;
      const family = (Object.keys(guests) as GuestFamily[]).find((each) =>
        guests[each].modules.includes(command.module),
      );
      return family === undefined ? undefined : { what: `${command.module} is a module`, family };
    }
    case 'expect':
      break;
    default:
      return undefined;
  }
  const { question } = body;
  switch (question.ask) {
    case 'flag':
      return question.flag === 'SLAVE' ? { what: 'SLAVE is a flag', family: 'linux' } : undefined;
    case 'cloud-init':
      return { what: 'cloud-init is a program', family: 'linux' };
    case 'log':
      return { what: 'this is a log line', family: writtenFor };
    case 'netns': {
      const family = HOME[question.netns];
      return family === undefined ? undefined : { what: `${question.netns} is a namespace`, family };
    }
    default:
      return undefined;
  }
}
