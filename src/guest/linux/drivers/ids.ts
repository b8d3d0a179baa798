/**
 * Which driver takes which VF, by PCI vendor and device: one row a function. A new VF in `devices/` gets its row here.
 * Sources: drivers/net/ethernet/mellanox/mlx5/core/main.c (mlx5_core_pci_table),
 * drivers/net/ethernet/microsoft/mana/gdma_main.c (mana_id_table).
 */
export interface VfDriverId {
  readonly vendor: number;
  readonly device: number;
  readonly driver: string;
}

export const VF_DRIVER_IDS: readonly VfDriverId[] = [
  { vendor: 0x15b3, device: 0x1014, driver: 'mlx5_core' }, // ConnectX-4 VF
  { vendor: 0x15b3, device: 0x1016, driver: 'mlx5_core' }, // ConnectX-4 Lx VF
  { vendor: 0x15b3, device: 0x1018, driver: 'mlx5_core' }, // ConnectX-5 VF
  { vendor: 0x15b3, device: 0x101a, driver: 'mlx5_core' }, // ConnectX-5 Ex VF
  { vendor: 0x15b3, device: 0x101e, driver: 'mlx5_core' }, // ConnectX family mlx5Gen VF
  { vendor: 0x1414, device: 0x00ba, driver: 'mana' }, // Microsoft Azure Network Adapter VF
  { vendor: 0x1414, device: 0xfff0, driver: 'example_vf' }, // invented, with devices/example.ts
];
