/** The matrix of fights over cloned interfaces: what came of it, and a row a case. */
import type { MatrixRow } from '../drill/clone-matrix.ts';
import { formatTable } from './table.ts';

export interface TimedRow extends MatrixRow {
  /** Computing that it took. */
  readonly milliseconds: number;
}

const HEAD = ['case', 'operations', 'orders', 'verdict', 'seconds'];

/** `interrupted`: only these were searched, and others not. */
export function formatMatrix(rows: readonly TimedRow[], guest: string, interrupted: boolean): string {
  const failing = rows.filter(({ exploration }) => exploration.verdict === 'fails');
  const open = rows.filter(({ exploration }) => !['fails', 'all'].includes(exploration.verdict));
  const orders = rows.reduce((sum, row) => sum + ordersOf(row), 0).toLocaleString('en-US');
  const verdict = [
    ...(interrupted ? ['INTERRUPTED: these were searched before'] : []),
    ...(failing.length > 0 ? [`FAILED: ${failing.length} of ${rows.length} cases on ${guest}`] : []),
    ...(open.length > 0 ? [`NO VERDICT: ${open.length} of ${rows.length} cases came to a limit`] : []),
    ...(failing.length + open.length === 0 ? [`${rows.length} cases hold on ${guest} in all ${orders} orders`] : []),
  ];
  const wrong = new Map<string, number>();
  for (const { exploration } of failing)
    for (const { text } of exploration.found) wrong.set(text, (wrong.get(text) ?? 0) + 1);
  const said = [...wrong].map(([text, cases]) => `  in ${cases} of them: ${text}`);
  return `${[...verdict, ...said, ''].join('\n')}\n${formatTable(HEAD, rows.map(rowOf))}`;
}

const ordersOf = ({ exploration }: MatrixRow): number => exploration.searched?.orders ?? 0;

function rowOf(row: TimedRow): readonly string[] {
  const { kind, fight, operations, exploration, milliseconds } = row;
  const { verdict } = exploration;
  const said = verdict === 'all' ? 'holds' : verdict === 'fails' ? 'FAILS' : 'no verdict';
  const orders = `${verdict === 'all' ? '' : 'of the first '}${ordersOf(row).toLocaleString('en-US')}`;
  return [`${kind} ${fight}`, operations, orders, said, (milliseconds / 1000).toFixed(1)];
}
