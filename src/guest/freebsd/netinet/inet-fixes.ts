/** Fixes of addresses, routes, neighbours and multicast groups (seed 003; reference F-1 to F-9). Each as those of a profile are. */
export const INET_FIXES = {
  'addresses-only-attached': {
    entry: 'F-1',
    source: 'none: found by the search here, and not reported by anybody',
    meaning: 'an address is added one at a time with others, and only to an interface that is on the list',
  },
  'address-references': {
    entry: 'F-3',
    source: 'seed 003 (June 2009)',
    meaning: 'a look-up of an address gives a reference to it, and not a bare pointer',
  },
  'ifa-try-ref': {
    entry: 'G-6',
    source: 'D28639',
    meaning: 'a look-up of an address takes a reference only where there is one still',
  },
  'address-tags-referenced': {
    entry: 'F-3',
    source: 'none: seed 003 accepts the race',
    meaning: 'a packet that remembers the address it came to has a reference to it',
  },
  'address-lists-locked': {
    entry: 'G-14',
    source: 'seed 003 (June 2009)',
    meaning: 'the list and the hash of all addresses are changed with a lock',
  },
  'neighbours-apart': {
    entry: 'F-7',
    source: 'seed 003 (December 2008)',
    meaning: 'neighbours are in a table of each interface, and not routes that are cloned from that of their network',
  },
  'multicast-purged-first': {
    entry: 'G-11',
    source: 'r150296',
    meaning: 'sockets leave the groups of an interface early in its detach',
  },
  'multicast-counted': {
    entry: 'G-12',
    source: '2007 (reference G-12)',
    meaning: "an interface's multicast entries stay, without it, for those who have them; who leaves late does no harm",
  },
  'protospec-guarded': {
    entry: 'G-13',
    source: 'seed 003 (2009)',
    meaning: 'IGMP looks whether an entry has a record still before it follows the pointer to it',
  },
  'protospec-locked': {
    entry: 'G-13',
    source: 'in_mcast.c (inm_release_deferred()), a copy of main behind 2018; seed 003 asks for it',
    meaning: 'the pointer from an entry to its record is cleared with the address lock',
  },
  'join-without-route': {
    entry: 'F-9',
    source: 'seed 003 (2007)',
    meaning: 'a join that names no interface gets the first that can do multicast when no route leads to the group',
  },
  'join-holds-interface': {
    entry: 'F-9',
    source: 'in_mcast.c (inp_join_group()) of stable/14; an older copy of main has a bare pointer',
    meaning: 'a join has a reference to its interface meanwhile',
  },
  'join-needs-attached': {
    entry: 'F-9',
    source: 'none: found by the search here, and not reported by anybody',
    meaning: 'a join looks with the multicast lock whether its interface is on the list still',
  },
} as const;
