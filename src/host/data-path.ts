/**
 * The guest's SWITCH_DATA_PATH.
 * Source: reference C.8: a request where it makes no sense is completed at once, and nothing changes; one that comes
 * before the PCI function was offered brings the offer forward (openvmm).
 */

import { DATA_PATH } from '../wire/nvsp.ts';
import type { RequestHead } from './item.ts';
import type { Nic } from './nic.ts';
import { startSwitch } from './path.ts';
import { offerNow } from './vf-life.ts';

export function askForPath(nic: Nic, head: RequestHead, asked: number): void {
  const nonsense = whyNot(nic, asked);
  if (nonsense !== undefined) {
    nic.refuse('switchDataPath', nonsense);
    nic.complete(head, undefined);
    return;
  }
  const { vf } = nic.state;
  if (vf.pci.at === 'due' && asked === DATA_PATH.vf) offerNow(nic);
  startSwitch(nic, head, asked === DATA_PATH.vf ? 'vf' : 'synthetic');
}

function whyNot(nic: Nic, asked: number): string | undefined {
  const { path, vf, switching } = nic.state;
  if (asked !== DATA_PATH.vf && asked !== DATA_PATH.synthetic) return `there is no data path ${asked}`;
  if (switching !== undefined) return 'a switch is under way';
  if ((asked === DATA_PATH.vf) === (path === 'vf')) return `the path is ${path} already`;
  if (asked === DATA_PATH.synthetic) return undefined;
  const isThere = vf.pci.at === 'due' || vf.pci.at === 'offered' || vf.pci.at === 'open';
  return isThere ? undefined : 'there is no VF now';
}
