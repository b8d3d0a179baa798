/** What the two designs of interface numbers cost, as a table for people. */
import type { Exhaustion, IndexCosts } from '../drill/ifindex.ts';
import { formatTable } from './table.ts';

const count = (figure: number): string => figure.toLocaleString('en-US');

/** A row an item, a column each measurement. */
export function formatIndexCosts(costs: readonly IndexCosts[]): string {
  const head = ['interfaces', ...costs.map(({ interfaces }) => count(interfaces))];
  const row = (what: string, say: (cost: IndexCosts) => string): string[] => [what, ...costs.map(say)];
  return formatTable(head, [
    row('vnets', ({ vnets }) => count(vnets)),
    row('slots searched, all allocations', ({ slots }) => count(slots)),
    row('slots searched, longest', ({ longest }) => count(longest)),
    row('tables grown, each waits for readers', ({ growths }) => count(growths)),
    row('bytes of tables', ({ bytes }) => count(bytes)),
    row('numbers in the last jail', ({ jail }) => `${count(jail.lowest)}..${count(jail.highest)}`),
    row('interfaces in it', ({ jail }) => count(jail.count)),
    row('slots searched there for ifcount', ({ ifcount }) => count(ifcount)),
    row('number before and after a move', ({ moved }) => `${count(moved.before)} -> ${count(moved.after)}`),
  ]);
}

export function formatExhaustion(outcomes: readonly Exhaustion[], numbers: number): string {
  const lines = outcomes.map(({ design, host, frozenByJail }) => {
    const said = host.map((index) => (index === undefined ? 'never comes back' : `gets ${count(index)}`));
    const frozen = frozenByJail ? 'freezes the host all the same' : 'does not touch the host';
    return `  ${design.padEnd(8)}  the host's next interface ${said[0]}, the one after it ${said[1]}; a jail that goes on ${frozen}\n`;
  });
  return `A jail takes all ${count(numbers)} numbers:\n${lines.join('')}`;
}
