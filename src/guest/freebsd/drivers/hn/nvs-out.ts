import { NVSP, type NvspMessage } from '../../../../wire/nvsp.ts';
import type { PageRange } from '../../../../wire/ring-packet.ts';
import type { Outgoing } from '../../../hv/channel.ts';

/** An NVS message for a channel, with the guest pages that it refers to. */
export const nvs = (message: NvspMessage, pages?: readonly PageRange[]): Outgoing =>
  pages === undefined ? { protocol: NVSP, message } : { protocol: NVSP, message, pages };
