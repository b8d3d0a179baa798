/**
 * Faults at work: what becomes of each message between host and guest while a worker has faults in its record. They are
 * no rules of a protocol: drivers are there to survive what no host should do. Known cases: a VF_ASSOCIATION that comes
 * late (reference D-05), a completion that comes twice (D-36), a device that falls silent without being taken back
 * (D-44), a switch that is refused though its answer looks like any other (D-28).
 * What this leaves out: messages whose contents are wrong.
 */
import { formatDuration, type Nanoseconds } from '../base/time.ts';
import type { Side } from '../trace/event.ts';
import type { HostFault, RequestFault } from './fault-points.ts';
import type { Delivery, HostItem } from './item.ts';
import { VMBUS } from './plan.ts';
import type { Worker } from './worker.ts';

interface Armed {
  readonly fault: HostFault;
  /** How often it can still strike. */
  left: number;
}

/** A message that comes behind the next one of its channel and side. */
type Waiting =
  | { readonly channel: string; readonly from: 'host'; readonly delivery: Delivery }
  | { readonly channel: string; readonly from: 'guest'; readonly item: HostItem };

/** The part of a worker's record that is there only while something is armed, silent or held back. */
export interface FaultRecord {
  /** The one that was armed first is asked first. */
  armed: Armed[];
  /** Devices whose channel the host sends nothing on. */
  silent: string[];
  waiting: Waiting[];
}

/** What is to become of a message. */
export type Fate = 'goes' | 'lost' | 'twice' | 'behind' | { readonly after: Nanoseconds };

export function arm<S>(worker: Worker<S>, fault: HostFault): void {
  const faults = recordOf(worker);
  if (fault.fault !== 'silence') faults.armed.push({ fault, left: fault.times });
  else if (fault.may) faults.armed.push({ fault, left: 1 });
  else faults.silent.push(fault.dev);
}

/** The host speaks again on a device's channel; false when it was not silent, nor could become so. */
export function speakAgain<S>(worker: Worker<S>, dev: string): boolean {
  const { faults } = worker.record;
  if (faults === undefined) return false;
  const isOver = ({ fault }: Armed): boolean => fault.fault === 'silence' && fault.dev === dev;
  const was = faults.silent.includes(dev) || faults.armed.some(isOver);
  faults.silent = faults.silent.filter((one) => one !== dev);
  faults.armed = faults.armed.filter((one) => !isOver(one));
  tidy(worker, faults);
  return was;
}

export const isSilent = <S>(worker: Worker<S>, dev: string): boolean =>
  worker.record.faults?.silent.includes(dev) === true;

/** Sends a message to the guest, if nothing is in its way. */
export function sendMessage<S>(worker: Worker<S>, dev: string, message: string, delivery: Delivery): void {
  if (worker.record.faults === undefined) worker.send(delivery);
  else carry(worker, dev, fateOf(worker, dev, message, 'host'), delivery);
}

/** Decides what becomes of a message, and tells of it when that is not what ought to be. */
export function fateOf<S>(worker: Worker<S>, dev: string, message: string, from: Side): Fate {
  const { faults } = worker.record;
  if (faults === undefined) return 'goes';
  if (from === 'host' && isSwallowed(worker, faults, dev, message)) return 'lost';
  const struck = firstThatStrikes(worker, faults, ({ fault }) => {
    if (fault.fault === 'fail' || fault.fault === 'silence') return false;
    return fault.dev === dev && fault.message === message && fault.from === from;
  });
  switch (struck?.fault) {
    case 'drop':
      return 'lost';
    case 'duplicate':
      return 'twice';
    case 'reorder':
      return 'behind';
    case 'delay':
      return { after: struck.by };
    default:
      return 'goes';
  }
}

/** Does with a message to the guest what was decided. */
export function carry<S>(worker: Worker<S>, dev: string, fate: Fate, delivery: Delivery): void {
  if (fate === 'lost') return;
  const channel = channelOf(worker, dev);
  if (fate === 'behind') recordOf(worker).waiting.push({ channel, from: 'host', delivery });
  else if (typeof fate === 'object') worker.after(fate.after, { what: 'send-due', dev, delivery });
  else {
    if (fate === 'twice') worker.send(copyOf(delivery));
    worker.send(delivery);
    for (const each of takeWaiting(worker, channel, 'host')) if (each.from === 'host') worker.send(each.delivery);
  }
}

/** Takes up a message of the guest after a span of time, if nothing is in its way. */
export function takeUp<S>(
  worker: Worker<S>,
  of: readonly [dev: string, message: string],
  span: Nanoseconds,
  item: HostItem,
): void {
  if (worker.record.faults === undefined) {
    worker.after(span, item);
    return;
  }
  const [dev, message] = of;
  const fate = fateOf(worker, dev, message, 'guest');
  const channel = channelOf(worker, dev);
  if (fate === 'lost') return;
  if (fate === 'behind') {
    recordOf(worker).waiting.push({ channel, from: 'guest', item });
    return;
  }
  const whole = typeof fate === 'object' ? span + fate.after : span;
  const behind = takeWaiting(worker, channel, 'guest');
  worker.after(whole, item);
  if (fate === 'twice') worker.after(whole, item);
  for (const each of behind) if (each.from === 'guest') worker.after(whole, each.item);
}

/** The fault by which the host fails a request now, if there is one. */
export function failureOf<S>(worker: Worker<S>, dev: string, request: string): RequestFault | undefined {
  const { faults } = worker.record;
  if (faults === undefined) return undefined;
  const struck = firstThatStrikes(
    worker,
    faults,
    ({ fault }) => fault.fault === 'fail' && fault.dev === dev && fault.message === request,
  );
  return struck?.fault === 'fail' ? struck : undefined;
}

/** The channel has ended, and with it what waited there. */
export function forgetWaiting<S>(worker: Worker<S>, dev: string): void {
  const { faults } = worker.record;
  if (faults === undefined) return;
  faults.waiting = faults.waiting.filter(({ channel }) => channel !== dev);
  tidy(worker, faults);
}

function isSwallowed<S>(worker: Worker<S>, faults: FaultRecord, dev: string, message: string): boolean {
  if (!faults.silent.includes(dev)) {
    const falls = firstThatStrikes(worker, faults, ({ fault }) => fault.fault === 'silence' && fault.dev === dev);
    if (falls === undefined) return false;
    recordOf(worker).silent.push(dev);
  }
  worker.emit({ kind: 'fault', fault: 'silence', side: 'host', dev, what: message, detail: '' });
  return true;
}

function recordOf<S>(worker: Worker<S>): FaultRecord {
  worker.record.faults ??= { armed: [], silent: [], waiting: [] };
  return worker.record.faults;
}

/** Asks the faults that fit, in the order in which they were armed, until one strikes. */
function firstThatStrikes<S>(
  worker: Worker<S>,
  faults: FaultRecord,
  fits: (armed: Armed) => boolean,
): HostFault | undefined {
  const armed = faults.armed.filter(fits).find(({ fault }) => happens(worker, fault));
  if (armed === undefined) return undefined;
  armed.left--;
  if (armed.left === 0) faults.armed.splice(faults.armed.indexOf(armed), 1);
  const { fault } = armed;
  if (fault.fault !== 'silence') {
    const told = { dev: fault.dev, what: fault.message, detail: detailOf(fault) };
    worker.emit({ kind: 'fault', fault: fault.fault, side: 'host', ...told });
  }
  tidy(worker, faults);
  return fault;
}

function happens<S>(worker: Worker<S>, fault: HostFault): boolean {
  if (!fault.may) return true;
  const message = fault.fault === 'silence' ? '' : ` ${fault.message}`;
  const sender = fault.fault !== 'silence' && fault.fault !== 'fail' && fault.from === 'guest' ? ' from guest' : '';
  return worker.around.sim.strategy.value(`${fault.fault}${message}${sender} of ${fault.dev}`, 2) === 1;
}

function detailOf(fault: Exclude<HostFault, { fault: 'silence' }>): string {
  if (fault.fault === 'fail') return fault.status === undefined ? 'empty' : `status=0x${fault.status.toString(16)}`;
  const sender = `from ${fault.from}`;
  return fault.fault === 'delay' ? `${sender}, by ${formatDuration(fault.by)}` : sender;
}

/** Messages of the VMBus share one queue, whatever device they are about. */
const channelOf = <S>(worker: Worker<S>, dev: string): string => (worker.name === VMBUS ? VMBUS : dev);

function takeWaiting<S>(worker: Worker<S>, channel: string, from: Side): readonly Waiting[] {
  const { faults } = worker.record;
  if (faults === undefined || faults.waiting.length === 0) return [];
  const isIt = (each: Waiting): boolean => each.channel === channel && each.from === from;
  const taken = faults.waiting.filter(isIt);
  faults.waiting = faults.waiting.filter((each) => !isIt(each));
  tidy(worker, faults);
  return taken;
}

/** Without faults a worker has no record of them, and looks no further. */
function tidy<S>(worker: Worker<S>, { armed, silent, waiting }: FaultRecord): void {
  if (armed.length + silent.length + waiting.length === 0) worker.record.faults = undefined;
}

/** Each that is sent is told of, and an event is nobody else's. */
const copyOf = (delivery: Delivery): Delivery =>
  delivery.tell === undefined ? delivery : { ...delivery, tell: { ...delivery.tell } };
