/** The fixes that are about cloning and about names that two requests want (seed 002): the part of `FIXES` that is theirs. */
export const CLONE_FIXES = {
  'naming-lock': {
    entry: 'G-17',
    source: 'the first proposal of seed 002; not landed',
    meaning: 'who clones or renames an interface holds a lock from the look whether the name is free until it is taken',
  },
  'ioctl-serialiser': {
    entry: 'G-47',
    source: 'the second proposal of seed 002; not landed',
    meaning: 'requests that configure interfaces wait for each other',
  },
  'serialiser-looks-again': {
    entry: 'G-47',
    source: 'none: what the code of seed 002 lacks',
    meaning: 'who waited for the ioctl serialiser looks whether it is free before he goes on',
  },
  'unit-map-counted': {
    entry: 'G-16',
    source: 'if_clone.c of 2006',
    meaning: 'the map of units goes with the last of them, and not before the interfaces that have them',
  },
  'clone-name-checked': {
    entry: 'G-17',
    source: 'r228071',
    meaning: 'a unit whose name an interface has already is not given to a clone',
  },
  'unit-given-back': {
    entry: 'G-18',
    source: 'r228071',
    meaning: 'a unit that was taken and cannot be used is given back',
  },
  'unit-range-checked': {
    entry: 'G-19',
    source: 'r228071',
    meaning: 'a unit that a cloner does not have is told apart (ENOSPC) from one that is taken (EEXIST)',
  },
  'tun-busy-refused': {
    entry: 'G-20',
    source: 'proposed in 2026; not landed',
    meaning: 'a tun whose device is open is not destroyed (EBUSY), instead of waiting until it is closed',
  },
  'tunnel-ioctl-locked': {
    entry: 'G-47',
    source: 'gif_ioctl_sx of if_gif.c, tun_ioctl_sx of if_tuntap.c, from memory',
    meaning: 'a request to gif, tun, tap or vmnet meets either the whole driver or, behind its end, none',
  },
  'ioctl-locked': {
    entry: 'G-47',
    source: 'none',
    meaning: 'the same of bridge and vlan',
  },
  'cloner-locks-detach': {
    entry: 'G-2',
    source: 'if_clone.c of 16-CURRENT',
    meaning: 'the DETACH lock is taken for each clone that is destroyed, also by a module that goes',
  },
  'unload-locks-detach': {
    entry: 'G-2',
    source: 'none: the orders of vnet_destroy() and of vnet_deregister_sysuninit(), by reference C.4 and D.3',
    meaning: 'a module that goes takes the DETACH lock before the one of the constructors, as a vnet that ends does',
  },
  'cloner-referenced': {
    entry: 'G-42',
    source: 'none',
    meaning: 'who looks a cloner up has a reference to it until he is done',
  },
  'create-undone': {
    entry: 'G-42',
    source: 'none',
    meaning: 'an interface whose creation by netlink fails in the end does not stay',
  },
  'unit-kept': {
    entry: 'C.7',
    source: 'none: INV-C5',
    meaning: 'the lowest free unit is taken as it is found, and not given back and asked for again',
  },
} as const satisfies Readonly<
  Record<string, { readonly entry: string; readonly source: string; readonly meaning: string }>
>;
