/** When somebody looks at a guest is nothing that it could know of: only what reaches it, and at which of its moments. */
import { expect, test } from 'vitest';
import { ms, type Nanoseconds, seconds } from '../../src/base/time.ts';
import { Guest } from '../../src/cli/boot-guest.ts';
import { bootImages, RealGuest, realNic } from './real-guest.ts';

test('a guest that is looked at often is the same as one that is not', async () => {
  const images = bootImages();
  const snapshot = (await RealGuest.boot(images, { nics: [realNic(1)], latency: {} })).save();
  const after = async (between: Nanoseconds): Promise<string> => {
    const { machine } = await RealGuest.restore(images, [realNic(1)], snapshot);
    const guest = new Guest(machine, images.release, true);
    const runTo = (end: Nanoseconds): void => {
      for (let due = guest.now + between; guest.now < end; due += between) guest.runTo(Math.min(due, end));
    };
    const begun = guest.now;
    runTo(begun + seconds(1));
    machine.console.type(Buffer.from('sleep 1; date\r'));
    guest.resize(33, 99);
    runTo(begun + seconds(4));
    return `${machine.now} ${machine.slices} ${machine.memoryHash()}`;
  };
  const once = await after(seconds(10));
  expect(await after(ms(10))).toBe(once);
  expect(await after(ms(3.3))).toBe(once);
});
