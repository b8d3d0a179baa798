/**
 * What pci-hyperv asks the host on a bus's channel, and how it waits for the answer. Source:
 * drivers/pci/controller/pci-hyperv.c (wait_for_response(), hv_pci_bus_exit()); reference C.7, D-44.
 */
import { assert } from '../../../base/assert.ts';
import { seconds } from '../../../base/time.ts';
import type { Task } from '../../../sim/operation.ts';
import type { WaitCell } from '../../../sim/wait-cell.ts';
import { isMalformed } from '../../../wire/message.ts';
import { VPCI, type VpciMessage } from '../../../wire/vpci.ts';
import { decodeVpciCompletion, type VpciCompletion, type VpciCompletionName } from '../../../wire/vpci-completion.ts';
import type { Outgoing } from '../../hv/channel.ts';
import { type LinuxKernel, log } from '../kernel.ts';
import type { HvDevice } from '../vmbus-core.ts';

/** How long hv_pci_bus_exit() waits for the host. */
const EXIT_LIMIT = seconds(10);

export const vpci = (message: VpciMessage): Outgoing => ({ protocol: VPCI, message });

/** Asks and waits; undefined when the channel was taken back or the answer makes no sense. */
export function* askHost<N extends VpciCompletionName>(
  kernel: LinuxKernel,
  device: HvDevice,
  of: N,
  message: VpciMessage,
): Task<VpciCompletion<N> | undefined> {
  assert(message.name === of, `${message.name} is asked for as ${of}`);
  const { result, answer } = yield* device.channel.request(vpci(message), of);
  if (result !== 'sent') return undefined;
  const got = yield* untilGone(kernel, device, answer);
  if (got === undefined || got === 'rescinded') return undefined;
  const opened = got.payload instanceof Uint8Array ? decodeVpciCompletion(of, got.payload) : got.payload;
  return isMalformed(opened) ? undefined : (opened as VpciCompletion<N>);
}

/** wait_for_response(): whoever waits for the host looks now and then whether there is still a channel. */
export function* untilGone<T>(
  kernel: LinuxKernel,
  { channel, dev }: HvDevice,
  answer: WaitCell<T | 'rescinded'>,
): Task<T | 'rescinded' | undefined> {
  const got = yield* channel.untilRescinded(answer);
  if (got === 'rescinded') log(kernel, dev, 'warn', 'The device is gone.');
  return got;
}

/** hv_pci_bus_exit(): skipped by the channel when it was rescinded; the answer is waited for, but not for ever. */
export function* exitD0({ channel }: HvDevice): Task {
  const message: VpciMessage = { name: 'busD0Exit' };
  const { result, answer } = yield* channel.request(vpci(message), message.name, EXIT_LIMIT);
  if (result === 'sent') yield* answer.wait();
}
