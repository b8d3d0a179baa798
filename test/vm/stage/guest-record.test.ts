import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAccount } from '../../../src/vm/stage/account.ts';
import type { RecordEntry } from '../../../src/vm/stage/guest-record.ts';

/** What the record says that user mode and drivers get to see, by the transcript of account.test.ts; and texts that are none. */
const RECORDED = readFileSync('fixtures/kernel/trace/vf-comes-and-goes.txt', 'utf8');
const { entries } = readAccount(RECORDED);

const about = <W extends RecordEntry['what']>(what: W, ifname: string) =>
  entries.filter(
    (entry): entry is Extract<RecordEntry, { readonly what: W }> =>
      entry.what === what && 'ifname' in entry && entry.ifname === ifname,
  );

/** enum netdev_cmd of 6.1 (include/linux/netdevice.h). */
const EVENT = { REGISTER: 5, FEAT_CHANGE: 12, POST_INIT: 17, JOIN: 20, CHANGEUPPER: 21, PRECHANGEUPPER: 26 };

describe('a VF that comes', () => {
  test('is unmarked when its first notification begins, and marked when it appears in sysfs', () => {
    const first = about('notifier', 'eth1').find(({ event }) => event === EVENT.POST_INIT);
    expect([first?.flags, about('sysfs', 'eth1')[0]?.flags]).toEqual([0x1002, 0x1802]);
  });

  test('is told of with the flags that user mode is to see, which the device itself does not have', () => {
    const [eth0, eth1] = [about('rtnetlink', 'eth0'), about('rtnetlink', 'eth1')];
    expect(eth0.slice(0, 3).map(({ reported }) => reported)).toEqual([0x1002, 0x11003, 0x11043]);
    expect(eth0.slice(0, 3).map(({ flags }) => flags)).toEqual([0x1002, 0x1003, 0x1003]);
    expect([...eth0, ...eth1].every(({ reported }) => reported !== undefined)).toBe(true);
  });

  test('is answered for by hv_netvsc, whose own calls are answered before', () => {
    const answered = about('answered', 'eth1').map(({ event }) => event);
    const { POST_INIT, PRECHANGEUPPER, CHANGEUPPER, JOIN, FEAT_CHANGE, REGISTER } = EVENT;
    expect(answered.slice(0, 6)).toEqual([POST_INIT, PRECHANGEUPPER, CHANGEUPPER, JOIN, FEAT_CHANGE, REGISTER]);
  });
});

describe('a text that is no record', () => {
  test('says what was lost, of each buffer', () => {
    const counts = (kept: number, written: number): string =>
      `# entries-in-buffer/entries-written: ${kept}/${written}   #P:1\n`;
    expect(readAccount(counts(10, 12) + counts(1, 4))).toEqual({ entries: [], lost: 5 });
  });

  test('is read without its lines that make no sense', () => {
    const lines = RECORDED.split('\n');
    const torn = lines.flatMap((line, i) => (i % 7 === 3 ? [line.slice(0, 40), 'CPU:0 [LOST 12 EVENTS]'] : [line]));
    const read = readAccount(torn.join('\n')).entries;
    expect(read.length).toBeGreaterThan(entries.length / 2);
    expect(read.length).toBeLessThan(entries.length);
  });

  test('gives entries with moments, whatever it is', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(...RECORDED.split('\n')), fc.constant('name="'));
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, piece), { maxLength: 20 }), (pairs) => {
        const text = pairs.map(([head, tail]) => head.slice(0, 60) + tail.slice(30)).join('\n');
        for (const { at } of readAccount(text).entries) expect(Number.isSafeInteger(at)).toBe(true);
      }),
    );
  });
});
