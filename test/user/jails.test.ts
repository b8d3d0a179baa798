import { describe, expect, test } from 'vitest';
import { HnBench } from '../guest/freebsd/drivers/hn-bench.ts';

const asked = (bench: HnBench): readonly string[] =>
  bench.told('jail').map(({ what, outcome }) => `${what}: ${outcome}`);
/** Where the VF was: the vnets that it came to, in order. */
const stays = (bench: HnBench): readonly string[] =>
  bench.told('netdev.netns').flatMap(({ dev, to }) => (dev === 'nic1.vf' ? to : []));

describe.each([
  ['jails', ['jail -r: done']],
  ['jails-interface-first', ['ifconfig -vnet: done', 'jail -r: done']],
])('%s', (name, stopping) => {
  test('hands a VF to a jail, and gives it back', () => {
    const bench = new HnBench({ user: [name] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.plug();
    bench.settle();
    expect(asked(bench)).toEqual(['jail -c: done', 'ifconfig vnet: done', 'ifconfig up: done', ...stopping]);
    expect(stays(bench)).toEqual(['jail-exvf0', 'vnet0']);
    expect(bench.told('vnet').map(({ state }) => state)).toEqual(['constructing', 'live', 'destroying', 'destroyed']);
  });

  test('stops the jail when the VF loses its link, and makes a jail for the next one', () => {
    const bench = new HnBench({ user: [name] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.plug();
    bench.pass(1_000_000_000);
    bench.revoke();
    bench.settle();
    bench.plug();
    bench.settle();
    const whole = ['jail -c: done', 'ifconfig vnet: done', 'ifconfig up: done'];
    expect(asked(bench)).toEqual([...whole, ...stopping, ...whole, ...stopping]);
  });
});

test('a NIC of the host is nothing for a jail', () => {
  const bench = new HnBench({ user: ['jails'] });
  bench.host({ do: 'offer', nic: 'nic1' });
  bench.settle();
  expect(asked(bench)).toEqual([]);
});

test('what is refused it says, and goes on', () => {
  const bench = new HnBench({ user: ['jails-interface-first'], latency: { 'jail.life': 0 } });
  bench.host({ do: 'offer', nic: 'nic1' });
  bench.settle();
  bench.command({ do: 'add-netns', name: 'jail-exvf0' });
  bench.plug();
  bench.settle();
  expect(asked(bench)).toEqual(['jail -c: EEXIST']);
});

describe('a program that goes through all interfaces', () => {
  const scans = (bench: HnBench): readonly string[] =>
    bench
      .told('ifscan')
      .map(({ listed, most, holes, unlisted }) => `${listed} of ${most}, ${holes} holes, ${unlisted}`);

  test('does so whenever one comes or goes, and finds one that has departed by its number still', () => {
    const bench = new HnBench({ user: ['interface-scanner'] });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.plug();
    bench.settle();
    bench.revoke();
    bench.settle();
    const [lo0, hn0, vf] = ['1 of 1, 0 holes, ', '2 of 2, 0 holes, ', '3 of 3, 0 holes, '];
    expect(scans(bench)).toEqual([lo0, hn0, vf, '2 of 3, 0 holes, exvf0']);
  });

  test('finds holes where others were, and in one table the numbers of jails are holes too', () => {
    const bench = new HnBench({ user: ['interface-scanner'], nics: 2 });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.command({ do: 'add-netns', name: 'jail' });
    bench.settle();
    bench.host({ do: 'offer', nic: 'nic2' });
    bench.settle();
    expect(scans(bench).at(-1)).toBe('3 of 4, 1 holes, ');
    bench.host({ do: 'rescind', nic: 'nic1' });
    bench.settle();
    bench.command({ do: 'rename', ifname: 'hn1', to: 'lan' });
    bench.settle();
    expect(scans(bench).at(-1)).toBe('2 of 4, 2 holes, ');
  });
});
