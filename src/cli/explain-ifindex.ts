/** `netvsim explain ifindex`: the trade-off between the two designs of FreeBSD's interface numbers (seed 000), measured. */
import { exhaustIndices, measureIndices } from '../drill/ifindex.ts';
import { INDEX_MOST, INDEX_POLICIES, type IndexPolicyName } from '../guest/freebsd/net/if-index.ts';
import { formatExhaustion, formatIndexCosts } from '../report/ifindex.ts';
import { asJson } from '../report/json.ts';
import { print } from './terminal.ts';

const SIZES = [10, 1000, 60_000];
const DESIGNS = Object.keys(INDEX_POLICIES) as IndexPolicyName[];

export function explainIfindex(json: boolean): void {
  const costs = DESIGNS.map((design) => SIZES.map((size) => measureIndices(design, size)));
  const exhaustion = DESIGNS.map((design) => exhaustIndices(design, INDEX_MOST));
  if (json) {
    print(asJson('netvsim explain ifindex', { costs: costs.flat(), exhaustion }));
    return;
  }
  const tables = DESIGNS.map(
    (design, i) => `${design}: ${INDEX_POLICIES[design]}\n${formatIndexCosts(costs[i] ?? [])}`,
  );
  print(`${tables.join('\n')}\n${formatExhaustion(exhaustion, INDEX_MOST)}`);
}
