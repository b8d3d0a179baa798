/**
 * Guest generations: a profile is a list of the fixes that its kernel has; the code asks for a fix by name where the
 * kernels differ. Source of the table: reference B.12 and, for the data path, D-20 to D-23 (commits of torvalds/linux,
 * presence in the trees that were read).
 * What this leaves out of B.12: XDP, which is not modelled, and the per-type length checks of completions (every message
 * is checked here, so the row would change nothing).
 */
export const FIXES = {
  'vf-gate': {
    commit: '69d25a6cf4ca',
    meaning: 'a frame goes by the VF only while the data path is the VF, not as soon as the VF is up',
  },
  'switch-awaited': {
    commit: '8b31f8c982b7',
    meaning: "the host's completion of SWITCH_DATA_PATH is waited for, and only then the VF is sent by",
  },
  'switch-before-stop': {
    commit: '34b06a2eee44',
    meaning: 'the path leaves a VF at NETDEV_GOING_DOWN, before it stops, not at NETDEV_DOWN',
  },
  'switch-errors': {
    commit: 'd0922bf79817',
    meaning: 'a SWITCH_DATA_PATH that cannot be sent is tried again or given up, and not taken for sent',
  },
  'mac-fallback': {
    commit: '365e1ececb29',
    meaning: 'a VF is matched by MAC when no association has come, and the switch waits for it',
  },
  'rtnl-before-rndis': { commit: 'd30fb712e529', meaning: 'netvsc_probe takes the RTNL before it talks to the host' },
  'notifier-before-driver': { commit: '85520856466e', meaning: 'the module registers its notifier before its driver' },
  'post-init-slave': {
    commit: 'c807d6cd089d',
    meaning: 'IFF_SLAVE is set at NETDEV_POST_INIT, before user mode can see the VF',
  },
  'probe-vf-scan': { commit: '9cae43da9867', meaning: 'netvsc_probe looks for a VF that was registered before it' },
  'vf-follows-netns': {
    commit: '4c262801ea60',
    meaning: 'a VF follows when its synthetic NIC is moved to another namespace',
  },
  'vf-follows-later': {
    commit: '33caa208dba6',
    meaning: 'it follows by deferred work, not inside of the walk that moves its master',
  },
  'no-addrconf': {
    commit: 'd7501e076d85',
    meaning: 'a VF gets IFF_NO_ADDRCONF with IFF_SLAVE, so that IPv6 leaves it alone',
  },
  'napi-before-open': {
    commit: '9448ccd85336',
    meaning: 'NAPI is enabled before the channel is opened, so that no early event is lost',
  },
  'live-rename': { commit: 'bd039b5ea2a9', meaning: 'a device can be renamed while it is up' },
} as const satisfies Readonly<Record<string, { readonly commit: string; readonly meaning: string }>>;

export type Fix = keyof typeof FIXES;

export const isFix = (name: string): name is Fix => Object.hasOwn(FIXES, name);

export interface Profile {
  readonly name: string;
  readonly summary: string;
  readonly fixes: ReadonlySet<Fix>;
  /** addrconf skips a device by this mark: `flags & IFF_SLAVE`, or the private flag since 8a321cf7becc (v6.2). */
  readonly addrconfSkips: 'IFF_SLAVE' | 'IFF_NO_ADDRCONF';
  /** Whether NETDEV_PRE_UNINIT is raised (6.12). */
  readonly hasPreUninit: boolean;
  /** Whether a device that moves to another namespace shows itself under its old name, and is then renamed (6.1). */
  readonly movesUnderOldName: boolean;
}

const ALL: readonly Fix[] = Object.keys(FIXES).filter(isFix);

/**
 * What 5.15.0 (31 October 2021) had: three commits were pushed to net-next on 13 January 2021 and so came with 5.12, the
 * fourth was posted for net-next on 29 March 2021 and came with 5.13 (netdev archive; tags from memory).
 */
const EARLY_2021: readonly Fix[] = ['vf-gate', 'switch-awaited', 'switch-before-stop', 'switch-errors'];

/**
 * What 6.1.192 lacks beside 6.12.117, both read as Debian's linux-source packages: drivers/net/hyperv, where the rest of
 * the table is the same text in both, net/core/dev.c (dev_change_name()) and net/ipv6/addrconf.c. Debian's kernel for
 * 32 bits is 6.1.176; by the package's changelog one commit to hv_netvsc came after it, of encrypted memory. The fixes
 * that are younger than 6.1.0 came with Debian's 6.1.66, 6.1.82 (probe-vf-scan), 6.1.115 (vf-follows-netns) and 6.1.153
 * (vf-follows-later).
 */
const NOT_IN_6_1: readonly Fix[] = ['no-addrconf', 'napi-before-open', 'live-rename'];

export const PROFILES: Readonly<Record<string, Profile>> = {
  'linux-5.15': {
    name: 'linux-5.15',
    summary: `mainline 5.15.0 as released: of the fixes below only ${EARLY_2021.join(', ')}`,
    fixes: new Set(EARLY_2021),
    addrconfSkips: 'IFF_SLAVE',
    hasPreUninit: false,
    movesUnderOldName: true,
  },
  'linux-6.1': {
    name: 'linux-6.1',
    summary: `stable tree 6.1.176 (Debian 12): all of the fixes below but ${NOT_IN_6_1.join(', ')}`,
    fixes: new Set(ALL.filter((fix) => !NOT_IN_6_1.includes(fix))),
    addrconfSkips: 'IFF_SLAVE',
    hasPreUninit: false,
    movesUnderOldName: true,
  },
  'linux-6.12': {
    name: 'linux-6.12',
    summary: 'stable tree 6.12.117: all of the fixes below',
    fixes: new Set(ALL),
    addrconfSkips: 'IFF_NO_ADDRCONF',
    hasPreUninit: true,
    movesUnderOldName: false,
  },
};

/** A profile with single fixes switched on or off against it. */
export function withFixes(profile: Profile, changes: Readonly<Record<string, boolean>>): Profile {
  const fixes = new Set(profile.fixes);
  for (const [name, on] of Object.entries(changes)) {
    if (!isFix(name)) continue; // names are checked where the scenario is read
    if (on) fixes.add(name);
    else fixes.delete(name);
  }
  return { ...profile, fixes };
}
