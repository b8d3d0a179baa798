import { expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { differencesOf, type GuestDrill } from '../../src/drill/differences.ts';
import { runFirmwareUpdate, USUAL_DRILL } from '../../src/drill/firmware-update.ts';

const drill = (guest: string): GuestDrill => {
  const usual = {
    ...USUAL_DRILL,
    gap: seconds(5),
    transport: 'direct',
    maxGap: undefined,
    maxLoss: undefined,
  } as const;
  return { guest, result: runFirmwareUpdate({ ...usual, guest }, VOCABULARY, makeStage) };
};

test('two guests are told apart by figures, and by what a NIC can do afterwards, each with the reasons of both', () => {
  const differences = differencesOf([drill('linux-6.12'), drill('freebsd-14')]);
  const found = new Map(differences.map(({ what, found }) => [what, found]));
  expect(found.get('checksums and segmentation stay with the hardware')).toEqual(['yes', 'no']);
  expect(found.get('frames lost as the VF goes')).toEqual(['0', '4']);
  for (const { why } of differences) expect(why).toMatch(/netvsc .*; hn .*reference|VF_TAKEOVER_INT/);
});

test('a FreeBSD that gives them back differs there from one that does not, by a fix', () => {
  const differences = differencesOf([drill('freebsd-13'), drill('freebsd-14')]);
  expect(differences.map(({ what, found }) => [what, ...found])).toEqual([
    ['checksums and segmentation stay with the hardware', 'yes', 'no'],
  ]);
  expect(differences[0]?.why).toContain('hn-capabilities');
});
