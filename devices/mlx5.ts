import { defineVf, ms } from '../src/device-kit.ts';

/**
 * VF of a Mellanox ConnectX-4 Lx, as most Azure hosts have it.
 * What this leaves out: InfiniBand, devlink reload, health recovery; ConnectX-5 (15b3:101a) differs only in its id.
 */
export const mlx5Vf = defineVf({
  name: 'mlx5',
  summary: 'Mellanox ConnectX-4 Lx VF (mlx5_core), as on Azure',
  sources: [
    'pci ids: linux drivers/net/ethernet/mellanox/mlx5/core/main.c, mlx5_core_pci_table (0x1016, VF)',
    'revision, BAR: lspci of an Azure VM, MicrosoftDocs/azure-docs#45303 (rev 80, one window of 1M)',
    'mtu: ETH_MIN_MTU; the maximum is what `ip -d link` shows for these NICs (from memory)',
    'probe, link: Azure documentation, kernel log example (reference E.1): 0.46 s and 0.24 s',
    'msixVectors, stop: invented',
  ],
  pci: { vendor: 0x15b3, device: 0x1016, revision: 0x80, barSizes: [0x10_0000] },
  msixVectors: 8,
  mtu: { min: 68, max: 9978 },
  timing: { probe: ms(460), link: ms(240), stop: ms(5) },
});
