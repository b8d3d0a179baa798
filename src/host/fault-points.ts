/**
 * What can go wrong between host and guest, by the names of the wire tables: the messages that a fault can be about, and
 * the requests that the host can fail with the statuses that their answers have. A completion of vPCI, which has no name
 * of its own, is called after its request (`busD0EntryComplete`), and so is the empty one (`switchDataPathComplete`).
 * What this leaves out: frames, which only a silent host stops; the pieces of a GPADL, whose answer can go wrong
 * instead; messages of the VMBus about no device, which are all over before a scenario begins.
 */
import type { Nanoseconds } from '../base/time.ts';
import type { Side } from '../trace/event.ts';
import type { Table } from '../wire/message.ts';
import { NVSP_COMPLETION_MESSAGES, NVSP_MESSAGES, NVSP_STATUS } from '../wire/nvsp.ts';
import { RNDIS_STATUS } from '../wire/oid.ts';
import { RNDIS_CONTROL_MESSAGES } from '../wire/rndis.ts';
import { VMBUS_MESSAGES } from '../wire/vmbus.ts';
import { isFailure, VPCI_MESSAGES, VPCI_STATUS } from '../wire/vpci.ts';
import { VPCI_COMPLETIONS } from '../wire/vpci-completion.ts';
import { FAILURE_STATUS } from './vmbus-state.ts';

/** What every fault has. All of them are plain data. */
interface Fault {
  /** `nic1` for the NIC's own channel and offers, `nic1.vf` for those of its VF. */
  readonly dev: string;
  /** The strategy is asked each time at which it could strike; else it always does. */
  readonly may: boolean;
}

interface OfMessage extends Fault {
  readonly message: string;
  /** Who sends it. What the guest sends goes wrong when the host takes it out of the channel. */
  readonly from: Side;
  /** How often it strikes. */
  readonly times: number;
}

export type MessageFault =
  | (OfMessage & { readonly fault: 'drop' | 'duplicate' })
  /** It comes behind the next one that is sent on its channel, and waits for that one. */
  | (OfMessage & { readonly fault: 'reorder' })
  | (OfMessage & { readonly fault: 'delay'; readonly by: Nanoseconds });

/** A request is not carried out; its answer has this status, or is empty like any other where it has none. */
export interface RequestFault extends Fault {
  readonly fault: 'fail';
  readonly message: string;
  readonly status: number | undefined;
  readonly times: number;
}

/** The host takes everything from the device's channel and sends nothing there. */
export interface Silence extends Fault {
  readonly fault: 'silence';
}

export type HostFault = MessageFault | RequestFault | Silence;

export type FaultProtocol = 'vmbus' | 'nvsp' | 'rndis' | 'vpci';

export interface FaultPoint {
  readonly message: string;
  readonly from: Side;
  readonly protocol: FaultProtocol;
}

/** What this host never sends, or never looks for, whatever the tables say. */
const NOT_HERE: Readonly<Record<Side, readonly string[]>> = {
  host: [
    'allOffersDelivered',
    'versionResponse',
    'unloadResponse',
    'sendRndisPacket',
    'sendIndirectionTable',
    'keepalive',
    'resetComplete',
    'invalidateBlock',
  ],
  guest: [
    'requestOffers',
    'initiateContact',
    'unload',
    'gpadlHeader',
    'gpadlBody',
    'sendRndisPacket',
    'sendRndisPacketComplete',
    'keepaliveComplete',
    'reset',
  ],
};

const pointsOf = (protocol: FaultProtocol, table: Table): readonly FaultPoint[] =>
  Object.entries(table).flatMap(([message, { from }]) =>
    (['host', 'guest'] as const)
      .filter((side) => (from === side || from === 'both') && !NOT_HERE[side].includes(message))
      .map((side) => ({ message, from: side, protocol })),
  );

/** How the completion of a request is called. */
export const completionOf = (request: string): string => `${request}Complete`;

const answersOf = (protocol: FaultProtocol, requests: readonly string[]): readonly FaultPoint[] =>
  requests.map((request) => ({ message: completionOf(request), from: 'host', protocol }));

const OF_ALL = pointsOf('vmbus', VMBUS_MESSAGES);
const { subchannelComplete } = NVSP_COMPLETION_MESSAGES;

/** Whose channel a message belongs to. */
export type DeviceKind = 'nic' | 'vf';

export const FAULT_POINTS: Readonly<Record<DeviceKind, readonly FaultPoint[]>> = {
  nic: [
    ...OF_ALL,
    ...pointsOf('nvsp', { ...NVSP_MESSAGES, subchannelComplete }),
    ...answersOf('nvsp', ['switchDataPath']),
    ...pointsOf('rndis', RNDIS_CONTROL_MESSAGES),
  ],
  vf: [...OF_ALL, ...pointsOf('vpci', VPCI_MESSAGES), ...answersOf('vpci', Object.keys(VPCI_COMPLETIONS))],
};

/** Names and numbers of the statuses that say no; the first is what a failure has when none is named. */
const failures = (statuses: Readonly<Record<string, number>>, isOne: (status: number) => boolean) =>
  Object.fromEntries(Object.entries(statuses).filter(([, status]) => isOne(status)));

export const FAILURES: Readonly<Record<FaultProtocol, Readonly<Record<string, number>>>> = {
  vmbus: { unsuccessful: FAILURE_STATUS },
  nvsp: failures(NVSP_STATUS, (status) => status > NVSP_STATUS.success),
  rndis: failures(RNDIS_STATUS, isFailure),
  vpci: failures(VPCI_STATUS, isFailure),
};

/** Requests whose failure is an answer. */
const REQUESTS: Readonly<Record<FaultProtocol, readonly string[]>> = {
  vmbus: ['openChannel', 'gpadlHeader', 'modifyChannel'],
  nvsp: ['init', 'sendReceiveBuffer', 'sendSendBuffer', 'switchDataPath', 'subchannelRequest'],
  rndis: ['initialize', 'query', 'set', 'keepalive'],
  vpci: Object.keys(VPCI_COMPLETIONS),
};

/** Its answer is empty, whatever became of it (reference B.8). */
export const isAnsweredEmpty = (request: string): boolean => request === 'switchDataPath';

const PROTOCOLS: Readonly<Record<DeviceKind, readonly FaultProtocol[]>> = {
  nic: ['vmbus', 'nvsp', 'rndis'],
  vf: ['vmbus', 'vpci'],
};

/** The requests that the host can fail on a device's channel. */
export const requestsOf = (kind: DeviceKind): readonly string[] =>
  PROTOCOLS[kind].flatMap((protocol) => REQUESTS[protocol]);

/** The protocol that a request belongs to. */
export const protocolOf = (request: string): FaultProtocol | undefined =>
  (Object.keys(REQUESTS) as FaultProtocol[]).find((protocol) => REQUESTS[protocol].includes(request));

/** Whether it is the VMBus server that has to know of a fault, and not the owner of the device. */
export function isOfVmbus(fault: HostFault): boolean {
  if (fault.fault === 'silence') return false;
  if (fault.fault === 'fail') return protocolOf(fault.message) === 'vmbus';
  return OF_ALL.some(({ message, from }) => message === fault.message && from === fault.from);
}

/** Why a device of this kind can have no such fault, or nothing. */
export function problemWithFault(fault: HostFault, kind: DeviceKind): string | undefined {
  if (fault.fault === 'silence') return undefined;
  if (fault.times < 1) return `a fault that strikes ${fault.times} times`;
  if (fault.fault === 'fail') return problemWithRequest(fault, kind);
  const { message, dev, from } = fault;
  const all = FAULT_POINTS[kind].filter((point) => point.message === message);
  if (all.length === 0)
    return misplaced(
      'message',
      message,
      dev,
      FAULT_POINTS[OTHER[kind]].map((one) => one.message),
    );
  return all.some((point) => point.from === from) ? undefined : `the ${from} does not send ${message}`;
}

function problemWithRequest({ message, dev, status }: RequestFault, kind: DeviceKind): string | undefined {
  const protocol = protocolOf(message);
  if (protocol === undefined || !requestsOf(kind).includes(message)) {
    return misplaced('request', message, dev, requestsOf(OTHER[kind]));
  }
  if (isAnsweredEmpty(message)) {
    return status === undefined ? undefined : `the answer to ${message} is empty: it has no status`;
  }
  const fits = status !== undefined && Object.values(FAILURES[protocol]).includes(status);
  return fits
    ? undefined
    : `an answer to ${message} that says no has one of ${Object.keys(FAILURES[protocol]).join(', ')}`;
}

const OTHER: Readonly<Record<DeviceKind, DeviceKind>> = { nic: 'vf', vf: 'nic' };

function misplaced(what: string, message: string, dev: string, elsewhere: readonly string[]): string {
  if (!elsewhere.includes(message)) return `${message} is no ${what} that can go wrong`;
  const other = dev.endsWith('.vf') ? dev.slice(0, -'.vf'.length) : `${dev}.vf`;
  return `${message} is no ${what} of ${dev}, but of ${other}`;
}
