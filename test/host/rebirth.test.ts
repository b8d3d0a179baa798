import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { REVOKE_ORDERS } from '../../src/host/action.ts';
import type { Event } from '../../src/trace/event.ts';
import { TRANSPORTS } from '../bus/on-bus.ts';
import { type FakeGuest, nic1, nic2, type Options } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

/** A host is its records: saved as text, ended and rebuilt wherever nothing can run, it tells the same story. */

type Story = (options: Options) => FakeGuest;

const session: Story = (options) => {
  const guest = connectedGuest(options);
  const nic = new FakeNic(guest).negotiated().rndisReady();
  nic.transmit(new Uint8Array(100).fill(0xff));
  nic.channel.close();
  guest.post({ name: 'unload' });
  guest.settle();
  return guest;
};

const revokeAndReturn =
  (order: (typeof REVOKE_ORDERS)[number]): Story =>
  (options) => {
    const guest = connectedGuest(options);
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(ms(100));
    const vf = new FakeVf(guest).probed();
    nic.switchTo(1);
    guest.act({ do: 'revoke-vf', nic: 'nic1', order });
    guest.settle(seconds(61));
    nic.switchTo(0);
    vf.release();
    guest.settle(seconds(2));
    guest.act({ do: 'plug-vf', nic: 'nic1', serial: 7 });
    guest.settle(seconds(2));
    return guest;
  };

const servicing: Story = (options) => {
  const guest = connectedGuest({ ...options, nics: [nic1, nic2] });
  guest.act({ do: 'plug-vf', nic: 'nic1' });
  guest.act({ do: 'plug-vf', nic: 'nic2' });
  guest.act({ do: 'update-firmware', order: 'eject-first', gap: seconds(4), times: 2, serial: 'different' });
  guest.settle(seconds(200));
  return guest;
};

const fullRing: Story = (options) => {
  const guest = connectedGuest(options);
  const nic = new FakeNic(guest);
  for (let id = 1n; id < 300n; id++) nic.say({ name: 'init', minVersion: 9, maxVersion: 9 }, id);
  nic.pull();
  nic.pull();
  nic.negotiated();
  return guest;
};

const stream: Story = (options) => {
  const guest = connectedGuest(options);
  const nic = new FakeNic(guest).negotiated().rndisReady();
  guest.soon(guest.host.startStream({ flow: 'video', nic: 'nic1', every: ms(3), bytes: 200 }));
  guest.settle(ms(50));
  guest.soon(guest.host.stopStream('video'));
  nic.pull();
  return guest;
};

const stories: readonly (readonly [string, Story])[] = [
  ['a session', session],
  ...REVOKE_ORDERS.map((order) => [`a revoke, ${order}, and the return`, revokeAndReturn(order)] as const),
  ['a firmware update of two NICs', servicing],
  ['a ring that is full', fullRing],
  ['a stream', stream],
];

describe.each(TRANSPORTS)('over %s', (transport) => {
  test.each(stories)('%s', (_, story) => {
    const straight = story({ transport });
    const reborn = story({ transport, reborn: true });
    expect(reborn.rebirths).toBeGreaterThan(10);
    expect(reborn.events.map(line)).toEqual(straight.events.map(line));
  });

  test.each(stories)('%s, twice the same', (_, story) => {
    expect(story({ transport }).events).toEqual(story({ transport }).events);
  });
});

test.each(stories)('both transports tell of %s alike', (_, story) => {
  expect(story({ transport: 'direct' }).events).toEqual(story({ transport: 'bytes' }).events);
});

/** Everything but the number of the step, which counts those of the drivers of the test too. */
function line(event: Event): string {
  const { step: _, ...rest } = event;
  return JSON.stringify(rest);
}
