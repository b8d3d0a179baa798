/** What of a scenario decides how it runs, as a short number: an order fits no scenario but the one that it is of. */
import { fnv1a } from '../base/fnv.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Identity } from './schedule.ts';

/** `without`: the fixes that were switched off beside what the scenario's file says. */
export function identityOf(scenario: Scenario, without: readonly string[]): Identity {
  const { name, plan } = scenario;
  const { guest, transport } = plan;
  return { scenario: name, guest, without, transport, fingerprint: fingerprintOf(scenario) };
}

/** Words for readers do not count, nor do the lines on which the steps stand. */
export function fingerprintOf({ plan, steps, always }: Scenario): string {
  const course = steps.map(({ when, body, text }) => ({ when, body, text }));
  return fnv1a(JSON.stringify({ plan, course, always }, inOneOrder));
}

/** The same data gives the same text, however it was put together. */
function inOneOrder(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
