import { NVSP, type NvspMessage } from '../../../../wire/nvsp.ts';
import type { PageRange } from '../../../../wire/ring-packet.ts';
import type { Outgoing } from '../../../hv/channel.ts';

/** An NVSP message for a channel, with the guest pages that it refers to. */
export const nvsp = (message: NvspMessage, pages?: readonly PageRange[]): Outgoing =>
  pages === undefined ? { protocol: NVSP, message } : { protocol: NVSP, message, pages };
