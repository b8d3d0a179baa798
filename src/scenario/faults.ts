/** Lines about faults, from their words to the plain data that a stage can arm, or what is wrong with them. */
import type { Nanoseconds } from '../base/time.ts';
import { type CallFault, FALLIBLE_CALLS, type FallibleCall } from '../guest/linux/faults.ts';
import type { Errno } from '../guest/uapi/errno.ts';
import {
  type DeviceKind,
  FAILURES,
  FAULT_POINTS,
  type HostFault,
  isAnsweredEmpty,
  problemWithFault,
  protocolOf,
} from '../host/fault-points.ts';
import { vfOf } from '../host/plan.ts';
import type { Side } from '../trace/event.ts';
import type { StepBody } from './step-body.ts';
import type { Names } from './vocabulary.ts';

type Built = StepBody | { readonly problem: string };

interface Words {
  readonly dev: string;
  readonly may: true | undefined;
}

/** How often a fault strikes when a line does not say it. */
const USUAL_TIMES = 1;

interface MessageWords extends Words {
  readonly message: string;
  readonly 'host|guest': Side | undefined;
  readonly times: number | undefined;
}

export function messageFault(
  how: { readonly fault: 'drop' | 'duplicate' | 'reorder' } | { readonly fault: 'delay'; readonly by: Nanoseconds },
  words: MessageWords,
  names: Names,
): Built {
  const { message, dev, times = USUAL_TIMES, may } = words;
  const from = words['host|guest'] ?? senderOf(message, kindOf(dev, names));
  if (from === 'both') return { problem: `both send ${message}: write "from host" or "from guest" behind it` };
  return armed({ ...how, message, from, dev, times, may: may === true }, names);
}

export const silence = ({ dev, may }: Words, names: Names): Built =>
  armed({ fault: 'silence', dev, may: may === true }, names);

interface RequestWords extends Words {
  readonly request: string;
  readonly status: string | undefined;
  readonly times: number | undefined;
}

export function requestFault({ request, dev, status, times = USUAL_TIMES, may }: RequestWords, names: Names): Built {
  const failures = FAILURES[protocolOf(request) ?? 'vmbus'];
  if (status !== undefined && isAnsweredEmpty(request)) {
    return { problem: `the answer to ${request} is empty, so that the guest cannot tell: leave "with ${status}" away` };
  }
  if (status !== undefined && failures[status] === undefined) {
    const known = Object.keys(failures).join(', ');
    return { problem: `an answer to ${request} cannot say ${status}; there is ${known}` };
  }
  const number = isAnsweredEmpty(request) ? undefined : (failures[status ?? ''] ?? Object.values(failures)[0]);
  return armed({ fault: 'fail', message: request, dev, status: number, times, may: may === true }, names);
}

interface CallWords extends Words {
  readonly call: FallibleCall;
  readonly errno: Errno;
  readonly times: number | undefined;
}

export function callFault({ call, dev, errno, times = USUAL_TIMES, may }: CallWords, names: Names): Built {
  const fault: CallFault = { call, dev, errno, times, may: may === true };
  const kind = kindOf(dev, names);
  const { of } = FALLIBLE_CALLS[call];
  if (of !== 'both' && of !== kind) {
    return { problem: `${call} is called for ${of === 'vf' ? 'VFs' : 'synthetic NICs'} only, and ${dev} is none` };
  }
  return withoutVf(dev, names) ?? { kind: 'fail-call', fault };
}

function armed(fault: HostFault, names: Names): Built {
  const { dev } = fault;
  const problem = problemWithFault(fault, kindOf(dev, names));
  if (problem !== undefined) return { problem };
  return withoutVf(dev, names) ?? { kind: 'host', action: { do: 'arm-fault', nic: nicOf(dev, names), fault } };
}

/** The NIC that a device belongs to. */
export const nicOf = (dev: string, names: Names): string => names.nics.find((nic) => vfOf(nic) === dev) ?? dev;

const kindOf = (dev: string, names: Names): DeviceKind => (names.nics.includes(dev) ? 'nic' : 'vf');

function withoutVf(dev: string, names: Names): { readonly problem: string } | undefined {
  const nic = nicOf(dev, names);
  if (nic === dev || names.nicsWithVf.includes(nic)) return undefined;
  return { problem: `${nic} has no VF model: write "vf: mlx5" (or another) at the NIC` };
}

function senderOf(message: string, kind: DeviceKind): Side | 'both' {
  const senders = FAULT_POINTS[kind].filter((point) => point.message === message).map(({ from }) => from);
  return senders.length > 1 ? 'both' : (senders[0] ?? 'host');
}
