/** Verdicts as JUnit XML, which test dashboards read. The times in it are virtual: the same run gives the same file. */
import type { Nanoseconds } from '../base/time.ts';

export interface JunitCase {
  readonly name: string;
  /** What the case belongs to: the guest, the drill. */
  readonly group: string;
  readonly time: Nanoseconds;
  /** Lines that say what failed; empty when it held. */
  readonly failures: readonly string[];
  /** A limit was reached before there was a verdict. */
  readonly error?: string | undefined;
}

export function formatJunit(suite: string, cases: readonly JunitCase[]): string {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const errors = cases.filter(({ error }) => error !== undefined).length;
  const time = cases.reduce((sum, one) => sum + one.time, 0);
  const counts = `tests="${cases.length}" failures="${failed}" errors="${errors}" time="${inSeconds(time)}"`;
  const body = cases.map(formatCase).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="${escapeXml(suite)}" ${counts}>
${body}  </testsuite>
</testsuites>
`;
}

function formatCase({ name, group, time, failures, error }: JunitCase): string {
  const open = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(group)}" time="${inSeconds(time)}"`;
  if (failures.length === 0 && error === undefined) return `${open}/>\n`;
  const first = escapeXml(failures[0] ?? '');
  const text = escapeXml(failures.join('\n'));
  const failure = failures.length > 0 ? `      <failure message="${first}">${text}</failure>\n` : '';
  const limit = error === undefined ? '' : `      <error message="${escapeXml(error)}"/>\n`;
  return `${open}>\n${failure}${limit}    </testcase>\n`;
}

const inSeconds = (time: Nanoseconds): string => (time / 1e9).toFixed(6);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** XML has no way to write most control characters: they become a question mark. */
export function escapeXml(text: string): string {
  const writable = text.replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '?');
  return writable.replace(/[&<>"\n]/g, (character) => ENTITIES[character] ?? character);
}
