import { describe, expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import { HnBench } from '../guest/freebsd/drivers/hn-bench.ts';

const leases = (bench: HnBench): readonly string[] =>
  bench.told('lease').map(({ dev, held }) => `${dev} ${held ? 'held' : 'given up'}`);

describe('devd', () => {
  test('starts what its rules say, for each interface that comes and goes', () => {
    const bench = new HnBench({ user: ['devd'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.host({ do: 'rescind', nic: 'nic1' });
    bench.settle();
    const started = bench.told('devd').map(({ action, ifname }) => `${action} ${ifname}`);
    expect(started).toEqual(['netif start lo0', 'netif start hn0', 'dhclient start hn0', 'netif stop hn0']);
  });

  test('alone brings nothing up', () => {
    const bench = new HnBench({ user: ['devd'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    expect(bench.has('nic1', 'UP')).toBe(false);
  });
});

describe('dhclient', () => {
  test('brings a NIC that rc.conf names up, and asks for one address on it', () => {
    const bench = new HnBench({ user: ['dhclient'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    expect(bench.has('nic1', 'UP')).toBe(true);
    expect(leases(bench)).toEqual(['nic1 held']);
  });

  test('leaves a VF alone, and keeps its lease while the path moves to it and back', () => {
    const bench = new HnBench({ user: ['devd', 'dhclient'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.plug();
    bench.settle();
    expect(bench.paths()).toEqual(['vf', 'vf']);
    bench.revoke();
    bench.settle();
    expect(leases(bench)).toEqual(['nic1 held']);
  });

  test('ends when its interface is taken down, and begins again with the next link', () => {
    const bench = new HnBench({ user: ['dhclient'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.command({ do: 'down', ifname: 'hn0' });
    bench.settle();
    expect(leases(bench)).toEqual(['nic1 held', 'nic1 given up']);
    bench.host({ do: 'nic-link', nic: 'nic1', up: false });
    bench.pass(seconds(1));
    bench.host({ do: 'nic-link', nic: 'nic1', up: true });
    bench.settle();
    expect(leases(bench)).toEqual(['nic1 held', 'nic1 given up', 'nic1 held']);
    expect(bench.has('nic1', 'UP')).toBe(true);
  });

  test('ends when its interface departs', () => {
    const bench = new HnBench({ user: ['dhclient'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.host({ do: 'rescind', nic: 'nic1' });
    bench.settle();
    expect(leases(bench)).toEqual(['nic1 held', 'nic1 given up']);
  });

  test('has one client an interface, whatever starts it', () => {
    const bench = new HnBench({ user: ['dhclient'], nics: 2 });
    for (const nic of ['nic1', 'nic2']) bench.host({ do: 'offer', nic });
    bench.settle();
    for (const nic of ['nic1', 'nic2']) bench.host({ do: 'nic-link', nic, up: false });
    bench.settle();
    for (const nic of ['nic1', 'nic2']) bench.host({ do: 'nic-link', nic, up: true });
    bench.settle();
    expect(leases(bench)).toEqual(['nic1 held', 'nic2 held']);
  });
});
