/** What vmbus_pcib asks the host on a bus's channel. Source: vmbus_pcib.c (wait_for_response(), vmbus_pcib_pre_detach()). */
import { seconds } from '../../../base/time.ts';
import type { Task } from '../../../sim/operation.ts';
import { isMalformed } from '../../../wire/message.ts';
import { VPCI, type VpciMessage } from '../../../wire/vpci.ts';
import { decodeVpciCompletion, type VpciCompletion, type VpciCompletionName } from '../../../wire/vpci-completion.ts';
import type { Channel, Outgoing } from '../../hv/channel.ts';

/** How long the end of a bus waits for the host: that of Linux, from which the driver comes. */
const EXIT_LIMIT = seconds(10);

export const vpci = (message: VpciMessage): Outgoing => ({ protocol: VPCI, message });

/** Asks and waits; undefined when the channel was taken back or the answer makes no sense. */
export function* askHost<N extends VpciCompletionName>(
  channel: Channel,
  of: N,
  message: VpciMessage & { readonly name: N },
): Task<VpciCompletion<N> | undefined> {
  const { result, answer } = yield* channel.request(vpci(message), of);
  if (result !== 'sent') return undefined;
  const got = yield* channel.untilRescinded(answer);
  if (got === undefined || got === 'rescinded') return undefined;
  const opened = got.payload instanceof Uint8Array ? decodeVpciCompletion(of, got.payload) : got.payload;
  return isMalformed(opened) ? undefined : (opened as VpciCompletion<N>);
}

/** Nothing is sent on a channel that was taken back; the answer is waited for, but not for ever. */
export function* exitD0(channel: Channel): Task {
  const message: VpciMessage = { name: 'busD0Exit' };
  const { result, answer } = yield* channel.request(vpci(message), message.name, EXIT_LIMIT);
  if (result === 'sent') yield* channel.untilRescinded(answer);
}
