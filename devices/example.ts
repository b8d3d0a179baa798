import { defineVf, ms } from '../src/device-kit.ts';

/**
 * The smallest VF there is, to copy from: README.md beside this file says what each number changes in a run.
 * Its numbers are invented, so that no shipped scenario leans on them.
 */
export const exampleVf = defineVf({
  name: 'example',
  summary: 'Invented VF with quick firmware and a slow link',
  sources: ['invented'],
  pci: { vendor: 0x1414, device: 0xfff0, revision: 1, barSizes: [0x1_0000] },
  msixVectors: 4,
  mtu: { min: 68, max: 1500 },
  timing: { probe: ms(3), link: ms(400), stop: ms(1) },
});
