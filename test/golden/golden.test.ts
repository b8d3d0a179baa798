import { describe, expect, test } from 'vitest';
import { encodeTrace } from '../../src/trace/codec.ts';
import type { Event } from '../../src/trace/event.ts';
import { runShipped, runsOn, shipped, shippedScenarios, traceLine } from '../support/shipped.ts';

/**
 * Each scenario on its own guest, and those that are about a difference on another one too; on 6.1 what real kernels are
 * asked, and on FreeBSD whatever names nothing that only Linux has.
 */
const runs = [
  ...shippedScenarios.map((name) => ({ name, guest: shipped(name).plan.guest })),
  ...['vf-seen-before-join', 'vf-before-netvsc', 'surprise-removal'].map((name) => ({ name, guest: 'linux-5.15' })),
  ...['vf-plug-join', 'namespace-follows', 'reload-netvsc'].map((name) => ({ name, guest: 'linux-6.1' })),
  ...shippedScenarios.filter((name) => runsOn(name, 'freebsd-14')).map((name) => ({ name, guest: 'freebsd-14' })),
].filter((run, at, all) => all.findIndex((each) => each.name === run.name && each.guest === run.guest) === at);

/** Frames that are lost are counted by the ledgers; a golden trace is about order. */
const isTold = (event: Event): boolean => event.kind !== 'frame.lost';

/** A firmware update rests a thousand times, and each time everything is written out and read back. */
const REBUILDING = 120_000;

const lines = (events: readonly Event[]): string => `${events.filter(isTold).map(traceLine).join('\n')}\n`;
const encoded = (name: string, guest: string, events: readonly Event[]): string => {
  const header = { scenario: name, guest, transport: 'bytes', schedule: '', netvsim: 'test' };
  return Buffer.from(encodeTrace({ header, events })).toString('base64');
};

describe.each(runs)('$name on $guest', ({ name, guest }) => {
  test('has its golden trace', async () => {
    const { events } = runShipped(shipped(name, { guest, transport: 'bytes' }));
    await expect(lines(events)).toMatchFileSnapshot(`../../fixtures/golden/${name}.${guest}.trace`);
  });

  test('gives the same trace twice, byte for byte', () => {
    const once = (): string => encoded(name, guest, runShipped(shipped(name, { guest, transport: 'bytes' })).events);
    expect(once()).toBe(once());
  });

  test('gives the same events over both transports', () => {
    const over = (transport: 'bytes' | 'direct'): string =>
      lines(runShipped(shipped(name, { guest, transport })).events);
    expect(over('direct')).toBe(over('bytes'));
  });

  test.each(['bytes', 'direct'] as const)(
    'goes on the same when host and bus are rebuilt at every rest, %s',
    (transport) => {
      const plain = runShipped(shipped(name, { guest, transport }));
      let rebuilt = 0;
      let rebuild: () => void = () => {};
      const again = runShipped(shipped(name, { guest, transport }), {
        onStage: ({ machine }) => {
          rebuild = () => {
            if (!machine.sim.quiescent) return;
            machine.loadHost(machine.saveHost());
            rebuilt++;
          };
        },
        enough: () => {
          rebuild();
          return false;
        },
      });
      expect(rebuilt).toBeGreaterThan(5);
      expect(lines(again.events)).toBe(lines(plain.events));
    },
    REBUILDING,
  );
});
