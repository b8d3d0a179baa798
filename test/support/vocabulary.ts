import type { GuestWords, Names, Vocabulary } from '../../src/scenario/vocabulary.ts';

/** Names for tests that need no devices of their own. */
const linux: GuestWords = {
  profiles: ['linux-5.15', 'linux-6.1', 'linux-6.12'],
  fixes: ['notifier-before-driver', 'post-init-slave'],
  observers: ['udev', 'manager', 'cloud-init-22.4'],
  modules: ['pci-hyperv', 'hv_netvsc', 'mlx5_core', 'mana'],
  modulesAtBoot: ['pci-hyperv', 'hv_netvsc', 'mlx5_core', 'mana'],
};

export const VOCABULARY: Vocabulary = {
  ...linux,
  guests: { linux, freebsd: { profiles: [], fixes: [], observers: [], modules: [], modulesAtBoot: [] } },
  vfs: ['mlx5', 'mana'],
  synthetics: ['ws2022'],
};

export const NAMES: Names = { ...VOCABULARY, nics: ['nic1', 'nic2'], nicsWithVf: ['nic1'], flows: ['echo-nic1'] };
