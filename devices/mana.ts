import { defineVf, ms } from '../src/device-kit.ts';

/**
 * VF of the Microsoft Azure Network Adapter.
 * What this leaves out: several ports behind one function (all would share one serial number, reference D-10), and
 * the reset that the NIC itself asks for.
 */
export const manaVf = defineVf({
  name: 'mana',
  summary: 'Microsoft Azure Network Adapter VF (mana)',
  sources: [
    'pci ids: linux drivers/net/ethernet/microsoft/mana/gdma_main.c, mana_id_table (MANA_VF 0x00ba)',
    'mtu.min: linux mana_en.c (ETH_MIN_MTU); the maximum is what the hardware reports: invented',
    'revision, barSizes, msixVectors, timing: invented',
  ],
  pci: { vendor: 0x1414, device: 0x00ba, revision: 0, barSizes: [0x100_0000] },
  msixVectors: 16,
  mtu: { min: 68, max: 9000 },
  timing: { probe: ms(250), link: ms(60), stop: ms(10) },
});
