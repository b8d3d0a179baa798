/**
 * `npm run fuzz:explore -- 20000 [first seed [kind ...]]`: the reduced search against plain enumeration on so many programs,
 * over objects of all kinds or of these.
 */
import { KINDS } from './random-program.ts';
import { compare } from './soundness.ts';

/** Orders beyond which a program is too large to be enumerated plainly: one in five is. */
const RUNS_MAX = 5_000;

const [wanted = '1000', first = '1', ...kinds] = process.argv.slice(2);
const isNumber = (text: string): boolean => /^\d{1,9}$/.test(text);
const areKinds = kinds.every((name) => Object.hasOwn(KINDS, name));
if (!isNumber(wanted) || !isNumber(first) || Number(wanted) === 0 || !areKinds) {
  process.stderr.write('usage: npm run fuzz:explore -- <programs> [<first seed> [<kind> ...]]\n');
  process.stderr.write(`kinds: ${Object.keys(KINDS).join(', ')}\n`);
  process.exit(2);
}
const sums = { agree: 0, tooLarge: 0, differ: 0, naive: 0, reduced: 0, cut: 0 };
for (let seed = Number(first); seed < Number(first) + Number(wanted); seed++) {
  const { verdict, problem, naive, reduced, cut } = compare(seed, RUNS_MAX, kinds.length === 0 ? undefined : kinds);
  if (verdict === 'agrees') sums.agree++;
  else if (verdict === 'too large') sums.tooLarge++;
  else {
    sums.differ++;
    process.stderr.write(`${problem}\n`);
  }
  if (verdict === 'too large') continue;
  sums.naive += naive;
  sums.reduced += reduced;
  sums.cut += cut;
  if (process.stdout.isTTY && seed % 100 === 0) process.stdout.write(`\r${seed - Number(first)} of ${wanted}`);
}
process.stdout.write(
  `${sums.agree} programs agree, ${sums.differ} differ, ${sums.tooLarge} too large for plain enumeration;\n` +
    `${sums.naive} orders by plain enumeration, ${sums.reduced} by the reduced search (and ${sums.cut} runs that it cut)\n`,
);
process.exit(sums.differ === 0 ? 0 : 1);
