import { describe, expect, test } from 'vitest';
import { onInterface } from '../../../../src/guest/freebsd/net/ioctl.ts';
import { addAddress, removeAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import { bindSocket } from '../../../../src/guest/freebsd/netinet/bind.ts';
import {
  addressWith,
  holdAddress,
  type IfAddress,
  releaseAddress,
} from '../../../../src/guest/freebsd/netinet/ifaddr.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';
import { gone, hiddenIn, NOTHING_HIDDEN, shown } from '../searching.ts';
import type { Build } from '../threads.ts';

const ADDRESS = '10.0.0.1';

/** Two administrators add addresses to two interfaces. */
const twoWriters: Build = (bench) => {
  const [one, two] = [bench.attached('d1'), bench.attached('d2')];
  return {
    threads: {
      *one() {
        yield* addAddress(bench.net, one, '10.0.0.1/24');
      },
      *two() {
        yield* addAddress(bench.net, two, '10.0.1.1/24');
      },
    },
    judge: () => {
      const [text] = bench.net.vnet0.addresses.differences();
      return text === undefined ? undefined : { key: 'lost', text };
    },
  };
};

/** Somebody looks an address up and goes on with it while it is removed. */
const removedWhileUsed: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  bench.run(() => addAddress(net, ifp, ADDRESS));
  return {
    threads: {
      *user() {
        yield* bindSocket(net, net.vnet0, ADDRESS);
      },
      *administrator() {
        yield* removeAddress(net, ifp, ADDRESS);
      },
    },
    judge: () => (net.addressCensus.size === 0 ? undefined : { key: 'leak', text: 'an address is left' }),
  };
};

/** A packet waits with the address that it came to, and the address is removed. */
const tagged: Build = (bench) => {
  const { net, stack } = bench;
  const ifp = bench.attached('d1');
  bench.run(() => addAddress(net, ifp, 'fe80::1'));
  return {
    threads: {
      *input() {
        yield* net.epoch.enter();
        const ifa = yield* net.vnet0.addresses.lookup('fe80::1');
        if (ifa !== undefined) yield* stack.netisr.defer(ifp, { to: ifa });
        yield* net.epoch.exit();
      },
      *administrator() {
        yield* removeAddress(net, ifp, 'fe80::1');
      },
    },
    judge: () => (net.addressCensus.size === 0 ? undefined : { key: 'leak', text: 'an address is left' }),
  };
};

/** ifconfig gives an address to an interface that is taken away. */
const addedWhileDetached: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *ifconfig() {
        yield* onInterface(net, net.vnet0, 'em1', 'SIOCAIFADDR', (found) => addAddress(net, found, '10.0.0.1/24'));
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
    judge: () => {
      const left = net.vnet0.fibs.some((routes) => routes.leadsBy(ifp)) || net.addressCensus.size > 0;
      return left ? { key: 'left', text: 'there is a route by what is not there any more' } : undefined;
    },
  };
};

const programs = { twoWriters, removedWhileUsed, tagged, addedWhileDetached };

describe('references to addresses (F-3)', () => {
  test('a bare pointer from a look-up is freed under its user', () => {
    expect(shown(removedWhileUsed, ['address-references'])).toEqual(gone(['use after free: ifaddr by in_pcbbind']));
  });

  test('a reference that is taken where there is none does not help; one that is tried for does (G-6)', () => {
    expect(shown(removedWhileUsed, ['ifa-try-ref'])).toEqual(
      gone([
        'a reference is taken where there is none',
        'double free: ifaddr by ifa_destroy',
        'use after free: ifaddr by in_pcbbind',
      ]),
    );
  });

  test('what a packet remembers without one is the hole that was accepted', () => {
    expect(shown(tagged, ['address-tags-referenced'])).toEqual(gone(['use after free: ifaddr by ip6_getdstifaddr']));
  });

  /** An address that somebody holds while it is removed. */
  function heldWhileRemoved(bench: IfnetBench): IfAddress {
    const { net } = bench;
    const ifp = bench.attached('d1');
    bench.run(() => addAddress(net, ifp, ADDRESS));
    const ifa = bench.run(() => addressWith(net, net.vnet0, ADDRESS)) as IfAddress;
    bench.run(() => removeAddress(net, ifp, ADDRESS));
    return ifa;
  }

  test('it leaves the lists at once, and lives until the last holder lets it go', () => {
    const bench = new IfnetBench();
    const ifa = heldWhileRemoved(bench);
    expect([ifa.references.now, ifa.memory.isFreed, bench.net.vnet0.addresses.has(ifa)]).toEqual([1, false, false]);
    expect([...bench.net.addressCensus]).toEqual([ifa]); // whoever forgets it now has a leak
    bench.run(() => releaseAddress(bench.net, ifa));
    expect([ifa.memory.isFreed, bench.net.addressCensus.size, bench.faults()]).toEqual([true, 0, []]);
  });

  test('while it is listed its count is that of its two lists and of those who have it', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    bench.run(() => addAddress(bench.net, ifp, ADDRESS));
    const [ifa] = ifp.addresses as [IfAddress];
    const counts = [ifa.references.now];
    bench.run(() => holdAddress(bench.net, ifa));
    counts.push(ifa.references.now);
    bench.run(() => releaseAddress(bench.net, ifa));
    expect([...counts, ifa.references.now]).toEqual([2, 3, 2]);
  });

  test('one that is given back twice is told of', () => {
    const bench = new IfnetBench();
    const ifa = heldWhileRemoved(bench);
    for (let i = 0; i < 2; i++) bench.run(() => releaseAddress(bench.net, ifa));
    expect(bench.faults()).toEqual(['a reference is given back that nobody has']);
  });
});

describe('the list and the hash of all addresses (F-4)', () => {
  test('two writers lose an entry of one of them; a lock keeps them the same (G-14)', () => {
    expect(shown(twoWriters, ['address-lists-locked'])).toEqual(gone(['lost']));
  });

  test('an address is found in the vnet of its interface, and in no other', () => {
    const bench = new IfnetBench();
    const jail = bench.vnet('jail');
    const ifp = bench.attached('d1');
    bench.run(() => addAddress(bench.net, ifp, ADDRESS));
    const found = [bench.net.vnet0, jail].map((vnet) => bench.run(() => vnet.addresses.lookup(ADDRESS))?.ifp.dev);
    expect(found).toEqual(['d1', undefined]);
  });
});

test('an address that comes when the interface goes stays behind with its route (F-1)', () => {
  expect(shown(addedWhileDetached, ['addresses-only-attached'], { profile: 'ideal' })).toEqual(
    gone(['in_ifaddrhead: 10.0.0.1 is not where it should be', 'left']),
  );
});

test.each(['10.0.0', '10.0.0.256', '10.0.0.1/33', 'fe80::1::2', 'fe80::1/129', 'lan'])(
  '%s is no address: EINVAL',
  (text) => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    expect(bench.run(() => addAddress(bench.net, ifp, text))).toBe('EINVAL');
  },
);

test.each(Object.entries(programs))('no state of %s is hidden from the search', (_, build) => {
  expect(hiddenIn(build)).toEqual(NOTHING_HIDDEN);
});
