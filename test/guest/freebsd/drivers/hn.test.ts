import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../../src/base/time.ts';
import { NVSP_CAPABILITIES } from '../../../../src/wire/nvsp.ts';
import { HnBench, macOf } from './hn-bench.ts';

describe('an hn that is attached', () => {
  test('asks for version 5 first, and says that it can have VFs', () => {
    const bench = new HnBench();
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    const said = bench.told('nvsp.message').filter(({ from }) => from === 'guest');
    expect(said[0]?.detail).toBe('maxVersion=0x50000 minVersion=0x50000');
    const config = said.find(({ name }) => name === 'sendNdisConfig');
    const capabilities = NVSP_CAPABILITIES.sriov | NVSP_CAPABILITIES.ieee8021q;
    expect(config?.detail).toBe(`capabilities=${capabilities} mtu=1514`);
    expect(bench.ifp('nic1')).toMatchObject({ name: 'hn0', index: 2, mac: macOf(1) });
  });

  test('is there for user mode before it has its address, and tells devd of both', () => {
    const bench = new HnBench();
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    const [attach, ethernet] = bench.told('devctl').filter(({ dev }) => dev === 'nic1');
    expect(`${attach?.system} ${attach?.type}, ${ethernet?.system} ${ethernet?.type}`).toBe(
      'IFNET ATTACH, ETHERNET IFATTACH',
    );
    const mac = bench.told('netdev.mac')[0];
    expect(mac?.step).toBeGreaterThan(attach?.step ?? 0);
  });

  test('gives back all that it has when the host takes it away, and its unit and number are used again', () => {
    const bench = new HnBench().offered();
    bench.host({ do: 'rescind', nic: 'nic1' });
    bench.settle();
    expect(bench.find('nic1')).toBeUndefined();
    expect(bench.told('ifnet.state').at(-1)).toMatchObject({ dev: 'nic1', state: 'freed' });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    expect(bench.ifp('nic1')).toMatchObject({ name: 'hn0', index: 2 });
    expect(bench.faults()).toEqual([]);
  });

  test('does not wait for ever for a host that answers nothing and then takes it away', () => {
    const bench = new HnBench();
    const fault = { fault: 'silence', dev: 'nic1', may: false } as const;
    bench.host({ do: 'arm-fault', nic: 'nic1', fault });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    expect(bench.find('nic1')).toBeUndefined();
    bench.host({ do: 'rescind', nic: 'nic1' });
    bench.settle();
    expect(bench.told('log').map(({ text }) => text)).toContain('hn0: device_attach: hn0 attach returned ENXIO');
    bench.host({ do: 'answer-again', nic: 'nic1', dev: 'nic1' });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    expect(bench.ifp('nic1').name).toBe('hn0');
  });

  test('is not there when the host refuses its buffer', () => {
    const bench = new HnBench();
    bench.refuseBuffer();
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    expect(bench.told('log').map(({ text }) => text)).toContain('hn0: device_attach: hn0 attach returned EIO');
    expect(bench.told('ifnet.state').at(-1)?.state).toBe('freed');
  });
});

describe("hn's link", () => {
  test('is what the host says', () => {
    const bench = new HnBench().offered();
    expect(bench.ifp('nic1').link.now).toBe('up');
    bench.host({ do: 'nic-link', nic: 'nic1', up: false });
    bench.settle();
    expect(bench.ifp('nic1').link.now).toBe('down');
  });

  test('is that of its VF while it has one', () => {
    const bench = new HnBench().carrying();
    bench.host({ do: 'nic-link', nic: 'nic1', up: false });
    bench.settle();
    expect(bench.ifp('nic1').link.now).toBe('up');
    bench.host({ do: 'vf-link', nic: 'nic1', up: false });
    bench.settle();
    expect(bench.ifp('nic1').link.now).toBe('down');
    bench.revoke();
    bench.settle();
    expect(bench.ifp('nic1').link.now).toBe('down'); // the host's word again
    bench.host({ do: 'nic-link', nic: 'nic1', up: true });
    bench.settle();
    expect(bench.ifp('nic1').link.now).toBe('up');
  });
});

describe('requests of user mode', () => {
  test('down and up: the path leaves the VF before that goes down, and it stays paired', () => {
    const bench = new HnBench().carrying();
    const from = bench.events.length;
    expect(bench.command({ do: 'down', ifname: 'hn0' })).toBe('done');
    bench.settle();
    const order = bench.events.slice(from).flatMap((event) => {
      if (event.kind === 'nvsp.message' && event.name === 'switchDataPath') return ['path'];
      if (event.kind === 'guest.datapath') return ['gate'];
      return event.kind === 'netdev.flags' && event.dev === 'nic1.vf' ? ['VF'] : [];
    });
    expect(order).toEqual(['gate', 'VF', 'path']); // asked for first, and read by the host later
    expect(bench.masterOf('nic1.vf')).toBe('nic1');
    expect(bench.paths()).toEqual(['synthetic', 'synthetic']);
    const again = bench.sim.now;
    expect(bench.command({ do: 'up', ifname: 'hn0' })).toBe('done');
    bench.pass(ms(500));
    expect(bench.paths()).toEqual(['vf', 'vf']);
    expect(bench.sim.now - again).toBeLessThan(seconds(1));
  });

  test('an MTU goes to the VF first, then the synthetic part comes anew, and the path is the VF again', () => {
    const bench = new HnBench().carrying();
    expect(bench.command({ do: 'mtu', ifname: 'hn0', mtu: 1400 })).toBe('done');
    bench.settle();
    expect([bench.ifp('nic1').mtu, bench.ifp('nic1.vf').mtu]).toEqual([1400, 1400]);
    expect(bench.told('nvsp.message').filter(({ name }) => name === 'init')).toHaveLength(2);
    expect(bench.paths()).toEqual(['vf', 'vf']);
  });

  test('an MTU that the VF cannot have is refused, and nothing has changed', () => {
    const bench = new HnBench().carrying(); // of the example VF: 1500 at most
    expect(bench.command({ do: 'mtu', ifname: 'hn0', mtu: 9000 })).toBe('EINVAL');
    expect([bench.ifp('nic1').mtu, bench.ifp('nic1.vf').mtu]).toEqual([1500, 1500]);
    expect(bench.told('nvsp.message').filter(({ name }) => name === 'init')).toHaveLength(1);
  });

  test.each([
    ['an interface that there is not', { do: 'up', ifname: 'hn9' } as const, 'ENXIO'],
    ['an MTU that no interface has', { do: 'mtu', ifname: 'hn0', mtu: 10 } as const, 'EINVAL'],
    ['a module that there is not', { do: 'load', module: 'mlx6en' } as const, 'ENOENT'],
    ['a module that is loaded', { do: 'load', module: 'hn' } as const, 'EEXIST'],
    ['a module that is not loaded', { do: 'unload', module: 'mlx4en' } as const, 'ENOENT'],
  ])('%s: its errno, and the run goes on', (_, command, errno) => {
    const bench = new HnBench().offered();
    expect(bench.command(command)).toBe(errno);
    expect(bench.command({ do: 'down', ifname: 'hn0' })).toBe('done');
  });

  test('unloading hn takes its interfaces away, and loading it brings them back', () => {
    const bench = new HnBench({ nics: 2 }).offered();
    expect(bench.command({ do: 'unload', module: 'hn' })).toBe('done');
    expect(bench.run(() => bench.guest.listInterfaces())).toEqual(['lo0']);
    expect(bench.command({ do: 'load', module: 'hn' })).toBe('done');
    expect(bench.run(() => bench.guest.listInterfaces())).toEqual(['lo0', 'hn0', 'hn1']);
    expect(bench.faults()).toEqual([]);
  });
});
