import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bootImages, RealGuest, realNic } from './real-guest.ts';

test('two cold boots are the same to the last byte: the guest, and what happened', async () => {
  const images = bootImages();
  const boots: string[] = [];
  for (let i = 0; i < 2; i++) {
    const guest = await RealGuest.boot(images, { nics: [realNic(1)], latency: {} });
    guest.bringUp();
    const snapshot = createHash('sha256').update(guest.save()).digest('hex');
    boots.push([guest.machine.memoryHash(), guest.machine.now, snapshot, JSON.stringify(guest.events)].join('\n'));
  }
  expect(boots[0]).toBe(boots[1]);
});
