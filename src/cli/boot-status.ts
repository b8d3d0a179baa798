/** What the host knows of a guest's NICs, as a table. */
import { formatDuration } from '../base/time.ts';
import { vfOf } from '../host/plan.ts';
import { formatTable } from '../report/table.ts';
import type { Guest } from './boot-guest.ts';

const VF_WORDS = {
  none: 'with the host',
  due: 'on its way',
  offered: 'in its slot',
  open: 'in its slot',
  ejecting: 'asked to leave',
  unplugging: 'asked to leave',
  rescinded: 'dead in its slot',
} as const;

export function statusOf({ machine, release }: Guest): string {
  const { host, plan } = machine;
  const rows = plan.nics.flatMap(({ name, mac, vf: model }) => {
    const { presence, path, link, vf, carried } = host.stateOf(name);
    const framesOf = ({ fromGuest, toGuest }: (typeof carried)['vf']): readonly string[] => [
      `${fromGuest}`,
      `${toGuest}`,
    ];
    const state = `${presence}, link ${link ? 'up' : 'down'}, path ${path}`;
    const nic = [name, mac, state, host.leases.get(mac) ?? '-', ...framesOf(carried.synthetic)];
    if (model === undefined) return [nic];
    const at = VF_WORDS[vf.pci.at];
    const vfState = `${at}${vf.associated ? ', associated' : ''}`;
    return [nic, [vfOf(name), mac, vfState, '-', ...framesOf(carried.vf)]];
  });
  const table = formatTable(['device', 'address', 'state', 'lease', 'frames from it', 'to it'], rows);
  return `${release}, ${formatDuration(machine.now)} after it was switched on\n${table}`;
}
