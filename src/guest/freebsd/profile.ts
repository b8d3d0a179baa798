/**
 * FreeBSD generations: a profile says which index design and which of the fixes its kernel has; the code asks for a fix
 * by name where kernels differ. Source of the table: reference G (the catalogue) and I.1 (the presets), whose evidence
 * marks hold here too: what is marked [S-read] there was read out of the source, and nobody has reported it as a bug.
 * What this leaves out of G: rows of subsystems that are not modelled (netgraph beyond the nodes of Ethernet interfaces, G-46).
 */
import { CLONE_FIXES } from './clone/fixes.ts';
import type { IndexPolicyName } from './net/if-index.ts';
import { INET_FIXES } from './netinet/inet-fixes.ts';

export const FIXES = {
  // -- interfaces: life and lists (reference A, G) --
  'return-collected': {
    entry: 'G-1',
    source: 'r368020 (D27279)',
    meaning: 'a dying vnet takes its foreign interfaces off the list under the IFNET lock, and moves them afterwards',
  },
  'detach-lock': {
    entry: 'G-2',
    source: 'r368237 (D27378)',
    meaning: 'detach, the return of interfaces and the destruction of clones run one at a time',
  },
  'unlink-under-detach': {
    entry: 'G-3',
    source: 'D56374',
    meaning:
      'detach and reclaim take the DETACH lock before they look where the interface is; not to find it is a panic',
  },
  'in6-afdata-deferred': {
    entry: 'G-4',
    source: 'D54728',
    meaning: 'IPv6 data of an interface stays for its readers until the interface is freed',
  },
  'in-afdata-deferred': {
    entry: 'G-4',
    source: 'proposed in the review of D54728',
    meaning: 'IPv4 data of an interface stays for its readers until the interface is freed',
  },
  'output-sees-attached': {
    entry: 'G-4',
    source: 'D49447 (not landed)',
    meaning: 'look-ups by index in the output path find only interfaces that are on the list',
  },
  'down-before-unlink': {
    entry: 'G-4',
    source: 'proposed in D49359',
    meaning: 'an interface is brought down before it is taken off the list',
  },
  'if-try-ref': {
    entry: 'G-5',
    source: 'D28836',
    meaning: 'a look-up by index takes a reference only where there is one still',
  },
  'no-late-link-event': {
    entry: 'G-7',
    source: 'D39614',
    meaning: 'changes of the link state are ignored once the interface is off the list',
  },
  'lladdr-guarded': {
    entry: 'G-8',
    source: 'D28860',
    meaning: 'handlers of a changed address look whether the address family data is there still',
  },
  'departure-clears-queues': {
    entry: 'G-9',
    source: 'r353635',
    meaning: 'reassembly queues forget an interface that departs, before anybody else hears of it',
  },
  'departure-guarded': {
    entry: 'G-44',
    source: 'netinet/ip_reass.c (ipreass_cleanup() looks whether V_ipq is there)',
    meaning: 'handlers of departures look whether their own part of the vnet is there still',
  },
  'bpf-own-tap': {
    entry: 'G-10',
    source: 'D11782 (PR 213896)',
    meaning: 'an interface has a dead tap as soon as its own is detached, and what is freed later changes it no more',
  },
  'index-limit': {
    entry: 'G-22',
    source: 'none: the design',
    meaning: 'when all numbers are taken an allocation fails with ENOSPC',
  },
  'wide-generation': {
    entry: 'G-24',
    source: 'none',
    meaning: 'the generation of an index has 32 bits and not 16',
  },
  'generation-knows-vnet': {
    entry: 'G-25',
    source: 'none',
    meaning: 'a look-up by index and generation finds only what is in the vnet that asks',
  },
  'reference-needs-attached': {
    entry: 'G-26',
    source: 'none',
    meaning: 'a look-up by index takes a reference only of an interface that is on the list',
  },
  'count-what-was-found': {
    entry: 'G-27',
    source: 'none',
    meaning: 'the count of interfaces goes down only when one was taken off the list',
  },
  'atomic-names': {
    entry: 'G-17',
    source: 'proposed in seed 002; not landed',
    meaning: 'a name is looked for and taken in one step, wherever an interface gets one',
  },
  'atomic-flags': {
    entry: 'G-29',
    source: 'none',
    meaning: 'a change of flags is one step, and not a read and a write',
  },
  'rename-told-in-vnet0': {
    entry: 'G-30',
    source: 'none',
    meaning: 'devd hears of a new name only in the default vnet, as it does of all else',
  },
  'ng-node-named-once': {
    entry: 'G-45',
    source: 'none',
    meaning: 'the netgraph node of an interface that arrives is not named again when it has the name already',
  },
  'vnet-listed-first': {
    entry: 'G-43',
    source: 'none',
    meaning:
      'a new vnet is on the list before its constructors run, so that a module which is loaded meanwhile finds it',
  },
  vimage: {
    entry: 'F-5',
    source: 'options VIMAGE, which GENERIC has since 12.0',
    meaning: 'jails can have a network stack of their own; without it there is one stack, and no curvnet',
  },
  ...INET_FIXES,
  // -- ends of vnets (reference F-14) --
  'destructors-complete': {
    entry: 'F-14',
    source: 'seed 003 (2009: the destructors that came with vnets were placeholders in part)',
    meaning: 'a part of the stack that ends in a vnet stops its timers there, and frees what it has',
  },
  // -- divert sockets (reference F-10) --
  'divert-unlocked-output': {
    entry: 'G-15',
    source: 'seed 003 (lock orders 163, 181, 202, 203)',
    meaning: 'a divert socket lets go of its locks before a packet of its goes out or in',
  },
  'divert-no-multicast': {
    entry: 'G-15',
    source: 'seed 003',
    meaning: 'a divert socket can have no multicast options',
  },
  'divert-input-queued': {
    entry: 'G-15',
    source: 'seed 003',
    meaning: 'a packet that a divert socket gives to input waits for the thread that takes packets in',
  },
  // -- drivers that need Giant (reference F-11) --
  'giant-drivers-refused': {
    entry: 'F-11',
    source: 'seed 003: the shim was removed in August 2009',
    meaning: 'a driver that needs Giant is refused; without it, the stack takes Giant round each of its methods',
  },
  ...CLONE_FIXES,
  // -- hn(4), its VFs and the bridge that brings them (reference E) --
  'vf-transparent': {
    entry: 'E.2',
    source: 'r322299: hw.hn.vf_transparent, a loader tunable that is 1 by default',
    meaning: 'hn carries its traffic by the VF itself; without it, only the path of the host follows the VF',
  },
  'vf-stack-first': {
    entry: 'G-21',
    source: 'none',
    meaning: "a VF's driver takes its interface from the stack before it stops the hardware",
  },
  'hn-heeds-renaming': {
    entry: 'G-31',
    source: 'none',
    meaning: 'hn takes the departure of an interface that is only renamed for none',
  },
  'hn-knows-its-vf': {
    entry: 'G-32',
    source: 'none',
    meaning:
      'hn takes only PCI functions for VFs, and only its own VF can depart as such, whatever address it has then',
  },
  'hn-copies-selected-flags': {
    entry: 'G-34',
    source: 'none',
    meaning: 'hn changes only those flags of its VF that it means to, and not the whole word',
  },
  'hn-capabilities': {
    entry: 'G-35',
    source: 'if_hn.c of 2019, before it was converted to accessors',
    meaning: 'a ready VF narrows the capabilities of hn to what both have, and they are given back when it goes',
  },
  'hn-scans': {
    entry: 'G-36',
    source: 'none',
    meaning: 'an hn that comes looks for a VF that is there already',
  },
  'receive-in-epoch': {
    entry: 'G-37',
    source: 'the conversion of the input path to epochs, of January 2020 (from memory)',
    meaning: 'drivers hand frames up in an epoch section, for whose end whoever detaches an interface waits',
  },
  'hn-waits-for-senders': {
    entry: 'G-4',
    source: 'rule 3 of seed 001',
    meaning: 'an hn that goes waits for those who send by it before it frees what they use',
  },
  'eject-on-bus-queue': {
    entry: 'G-39',
    source: 'vmbus_pcib.c, the later of two generations',
    meaning: 'an eject runs on the thread that attaches and detaches buses',
  },
  'eject-once': {
    entry: 'G-40',
    source: 'none',
    meaning: 'a function that is asked for twice is ejected once',
  },
  'hn-mtu-rollback': {
    entry: 'G-49',
    source: 'none',
    meaning: 'when hn cannot come back with another MTU, it comes back with the old one, and so does its VF',
  },
  'hn-hears-down': {
    entry: 'H',
    source: 'none: what hn does in its other mode',
    meaning: 'hn hears that its VF goes down, and moves the path away from it',
  },
  'hn-awaits-switch': {
    entry: 'H',
    source: 'none: what Linux does',
    meaning: "hn waits for the host's answer to a switch of the data path",
  },
} as const satisfies Readonly<
  Record<string, { readonly entry: string; readonly source: string; readonly meaning: string }>
>;

export type Fix = keyof typeof FIXES;

export const isFix = (name: string): name is Fix => Object.hasOwn(FIXES, name);

export interface Profile {
  readonly name: string;
  readonly summary: string;
  readonly index: IndexPolicyName;
  /** Whether slots of the index table have a generation, so that a packet can remember (index, generation). */
  readonly generations: boolean;
  readonly fixes: ReadonlySet<Fix>;
}

const ALL: readonly Fix[] = Object.keys(FIXES).filter(isFix);

/**
 * Which release has what is taken from the dates of the commits and reviews (reference G) and of the releases: 13.0 is of
 * April 2021, 14.0 of November 2023. What was merged to which branch later was not looked up.
 */
const BY_13: readonly Fix[] = [
  'vimage',
  'vf-transparent',
  'receive-in-epoch',
  'return-collected',
  'detach-lock',
  'if-try-ref',
  'lladdr-guarded',
  'departure-clears-queues',
  'departure-guarded',
  'address-references',
  'ifa-try-ref',
  'address-lists-locked',
  'neighbours-apart',
  'divert-unlocked-output',
  'divert-no-multicast',
  'divert-input-queued',
  'giant-drivers-refused',
  'unit-map-counted',
  'clone-name-checked',
  'unit-given-back',
  'unit-range-checked',
  'tunnel-ioctl-locked',
  'destructors-complete',
  'bpf-own-tap',
  'multicast-purged-first',
  'multicast-counted',
  'protospec-guarded',
  'protospec-locked',
  'join-without-route',
];
const BY_14: readonly Fix[] = [...BY_13, 'join-holds-interface', 'eject-on-bus-queue', 'no-late-link-event'];
/** What was lost when drivers were converted to accessors: since 14 (reference I.1, not checked for each release). */
const UNTIL_14: readonly Fix[] = ['hn-capabilities'];
const BY_MAIN: readonly Fix[] = [...BY_14, 'unlink-under-detach', 'in6-afdata-deferred', 'cloner-locks-detach'];
/** Ways to deal with G-4 and G-17 that narrow them, and that nobody needs where another way is taken. */
const NOT_IDEAL: readonly Fix[] = [
  'output-sees-attached',
  'down-before-unlink',
  'naming-lock',
  'ioctl-serialiser',
  'serialiser-looks-again',
];

export const PROFILES: Readonly<Record<string, Profile>> = {
  'freebsd-13': {
    name: 'freebsd-13',
    summary: `an index table a vnet, no generations; of the fixes below only ${[...BY_13, ...UNTIL_14].join(', ')}`,
    index: 'per-vnet',
    generations: false,
    fixes: new Set([...BY_13, ...UNTIL_14]),
  },
  'freebsd-14': {
    name: 'freebsd-14',
    summary: `one index table, with generations; of the fixes below only ${BY_14.join(', ')}`,
    index: 'global',
    generations: true,
    fixes: new Set(BY_14),
  },
  'freebsd-main': {
    name: 'freebsd-main',
    summary: `main of 2026: one index table, with generations; of the fixes below only ${BY_MAIN.join(', ')}`,
    index: 'global',
    generations: true,
    fixes: new Set(BY_MAIN),
  },
  ideal: {
    name: 'ideal',
    summary:
      'no kernel that there is: one index table, with generations, and all of the fixes below that are not stopgaps',
    index: 'global',
    generations: true,
    fixes: new Set(ALL.filter((fix) => !NOT_IDEAL.includes(fix))),
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
