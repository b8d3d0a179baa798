import type { Protocol } from '../wire/message.ts';
import { malformed } from '../wire/message.ts';
import { encodeVpciCompletion, type VpciCompletion, vpciCompletionSize } from '../wire/vpci-completion.ts';

/**
 * Completions of vPCI as a protocol for writing. They carry no number, so only whoever made the request can read one
 * (wire/vpci-completion.ts).
 */
export const VPCI_ANSWER: Protocol<VpciCompletion> = {
  name: 'vpci completion',
  size: (message) => vpciCompletionSize(message.name, message),
  encode: (message) => encodeVpciCompletion(message.name, message),
  decode: (bytes) => malformed('vpci completion', bytes, 'unknown', { what: 'without its request' }),
};
