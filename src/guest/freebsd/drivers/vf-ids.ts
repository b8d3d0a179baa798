/**
 * Which driver takes which VF, by PCI vendor and device, and what its interfaces are called: one row a function. A new VF
 * in `devices/` gets its row here. Sources: sys/dev/mlx4/mlx4_core/mlx4_main.c (mlx4_pci_table), mlx4_en (mlxen),
 * sys/dev/mlx5/mlx5_core/mlx5_main.c (mlx5_core_pci_table), mlx5_en (mce), sys/dev/mana/gdma_main.c (mana_id_table), all
 * from memory.
 */
export interface VfDriverId {
  readonly vendor: number;
  readonly device: number;
  /** The module. */
  readonly driver: string;
  readonly ifname: string;
}

export const VF_DRIVER_IDS: readonly VfDriverId[] = [
  { vendor: 0x15b3, device: 0x1004, driver: 'mlx4en', ifname: 'mlxen' }, // ConnectX-3 VF
  { vendor: 0x15b3, device: 0x1014, driver: 'mlx5en', ifname: 'mce' }, // ConnectX-4 VF
  { vendor: 0x15b3, device: 0x1016, driver: 'mlx5en', ifname: 'mce' }, // ConnectX-4 Lx VF
  { vendor: 0x15b3, device: 0x1018, driver: 'mlx5en', ifname: 'mce' }, // ConnectX-5 VF
  { vendor: 0x15b3, device: 0x101a, driver: 'mlx5en', ifname: 'mce' }, // ConnectX-5 Ex VF
  { vendor: 0x15b3, device: 0x101e, driver: 'mlx5en', ifname: 'mce' }, // ConnectX family mlx5Gen VF
  { vendor: 0x1414, device: 0x00ba, driver: 'mana', ifname: 'mana' }, // Microsoft Azure Network Adapter VF
  { vendor: 0x1414, device: 0xfff0, driver: 'example_vf', ifname: 'exvf' }, // invented, with devices/example.ts
];
