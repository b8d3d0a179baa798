import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../../src/base/time.ts';
import { changeFlags } from '../../../../src/guest/freebsd/net/flags.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import type { Event } from '../../../../src/trace/event.ts';
import { HnBench, macOf } from './hn-bench.ts';

describe('a VF', () => {
  test('is paired by its address when its driver has told of that, and nothing of it shows', () => {
    const bench = new HnBench().offered();
    bench.plug();
    bench.pass(ms(100));
    const arrived = bench.told('devctl').find(({ subsystem, type }) => subsystem === 'exvf0' && type === 'ATTACH');
    const paired = bench.told('netvsc.vf')[0];
    expect(paired).toMatchObject({ nic: 'nic1', dev: 'nic1.vf', joined: true });
    expect(arrived?.step).toBeLessThan(paired?.step ?? 0); // user mode has heard of it before
    expect(bench.masterOf('nic1.vf')).toBe('nic1');
    expect(bench.has('nic1.vf', 'UP')).toBe(false);
  });

  test('carries two seconds later, and is up before the host is asked', () => {
    const bench = new HnBench().offered();
    bench.plug();
    bench.settle();
    const paired = bench.told('netvsc.vf')[0]?.time ?? 0;
    const up = bench.told('netdev.flags').find(({ dev }) => dev === 'nic1.vf');
    expect(up?.time).toBe(paired + seconds(2));
    const asked = bench.told('nvsp.message').find(({ name }) => name === 'switchDataPath');
    expect(asked?.step).toBeGreaterThan(up?.step ?? 0);
    expect(bench.paths()).toEqual(['vf', 'vf']);
  });

  test('of an hn that is down is ready, but does not carry until that is up', () => {
    const bench = new HnBench();
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.plug();
    bench.settle();
    expect([bench.paths()[0], bench.has('nic1.vf', 'UP')]).toEqual(['synthetic', false]);
    bench.command({ do: 'up', ifname: 'hn0' });
    bench.settle();
    expect([bench.paths(), bench.has('nic1.vf', 'UP')]).toEqual([['vf', 'vf'], true]);
  });

  test.each([['eject-first'], ['assoc-first'], ['surprise']] as const)('leaves %s, and comes back', (order) => {
    const bench = new HnBench().carrying();
    const index = bench.ifp('nic1.vf').index;
    for (let round = 0; round < 3; round++) {
      bench.revoke(order);
      bench.settle();
      expect([bench.find('nic1.vf'), ...bench.paths()]).toEqual([undefined, 'synthetic', 'synthetic']);
      bench.plug();
      bench.settle();
      expect([bench.ifp('nic1.vf').index, bench.masterOf('nic1.vf')]).toEqual([index, 'nic1']);
      expect(bench.paths()).toEqual(['vf', 'vf']);
    }
    expect(bench.faults()).toEqual([]);
  });

  test('gives its input back when it goes, and what it received was hn’s', () => {
    const bench = new HnBench().offered();
    bench.plug();
    bench.pass(ms(100));
    const vf = bench.ifp('nic1.vf');
    const redirected = vf.input.now;
    bench.revoke();
    bench.settle();
    expect(vf.input.now).not.toBe(redirected);
    expect(vf.input.now).toBe(bench.ifp('nic1').input.now);
  });

  test('each belongs to the hn of its address, whichever came first', () => {
    const bench = new HnBench({ nics: 3 }).offered();
    for (const nic of ['nic3', 'nic1', 'nic2']) bench.plug(nic);
    bench.settle();
    for (const nic of ['nic1', 'nic2', 'nic3']) expect(bench.masterOf(`${nic}.vf`)).toBe(nic);
  });

  test('whose function is dead when its driver opens it leaves the path as it is, and is not tried again', () => {
    const bench = new HnBench().offered();
    bench.plug();
    bench.pass(seconds(1));
    const fn = bench.machine.bus.functions.get('nic1.vf');
    bench.run(function* () {
      yield* fn?.fallSilent('dead') ?? [];
      return undefined;
    });
    bench.settle();
    expect(bench.told('log').map(({ text }) => text)).toContain('bring up exvf0 failed: EIO');
    expect(bench.paths()).toEqual(['synthetic', 'synthetic']);
  });

  test('has hn’s MTU when it is ready, or hn takes the usual one', () => {
    const bench = new HnBench({ vf: 'example' });
    bench.host({ do: 'offer', nic: 'nic1' });
    bench.settle();
    bench.command({ do: 'mtu', ifname: 'hn0', mtu: 9000 });
    bench.command({ do: 'up', ifname: 'hn0' });
    bench.plug();
    bench.settle();
    expect([bench.ifp('nic1').mtu, bench.ifp('nic1.vf').mtu]).toEqual([1500, 1500]);
  });
});

/** Each defect of the catalogue as it is, and with what would mend it. */
describe('known defects', () => {
  const names = ({ kind }: Event): string => kind;

  test('G-31: a VF that is renamed is lost', () => {
    for (const [mended, paths] of [
      [false, ['synthetic', 'synthetic']],
      [true, ['vf', 'vf']],
    ] as const) {
      const bench = new HnBench({ fixes: { 'hn-heeds-renaming': mended } }).carrying();
      expect(bench.command({ do: 'rename', ifname: 'exvf0', to: 'fast0' })).toBe('done');
      bench.settle();
      expect(bench.paths()).toEqual(paths);
    }
  });

  test('G-32: the departure of a look-alike is taken for the VF’s, and leaves the map wrong', () => {
    for (const mended of [false, true]) {
      const bench = new HnBench({ fixes: { 'hn-knows-its-vf': mended } }).carrying();
      const other = bench.attachOther('tap7', macOf(1));
      expect(bench.masterOf('nic1.vf')).toBe('nic1');
      bench.remove(other);
      expect(bench.paths()[0]).toBe(mended ? 'vf' : 'synthetic');
      bench.revoke();
      bench.settle();
      bench.plug();
      bench.settle();
      const slot = `slot ${bench.ifp('nic1.vf').index} of the VF map is taken`;
      expect(bench.faults().some((fault) => fault.includes(slot))).toBe(!mended);
    }
  });

  test('G-33: an address that changes makes hn keep a VF that has gone', () => {
    for (const mended of [false, true]) {
      const bench = new HnBench({ fixes: { 'hn-knows-its-vf': mended } }).carrying();
      bench.command({ do: 'address', ifname: 'hn0', mac: macOf(9) });
      bench.revoke();
      bench.settle();
      bench.command({ do: 'flags', ifname: 'hn0', flags: { arp: false } });
      bench.settle();
      const used = 'use after free of nic1.vf.ifnet by hn_xpnt_vf_saveifflags';
      expect(bench.faults().includes(used)).toBe(!mended);
    }
  });

  test('G-34: flags that the stack keeps of the VF are overwritten', () => {
    for (const mended of [false, true]) {
      const bench = new HnBench({ fixes: { 'hn-copies-selected-flags': mended } }).carrying();
      const vf = bench.ifp('nic1.vf');
      bench.run(() => changeFlags(bench.net, vf, { set: IFF.DYING }));
      bench.command({ do: 'flags', ifname: 'hn0', flags: { arp: false } });
      expect((vf.flags.now & IFF.DYING) !== 0).toBe(mended);
    }
  });

  test('G-35: hn keeps less than it had when its VF has gone', () => {
    for (const guest of ['freebsd-13', 'freebsd-14']) {
      const bench = new HnBench({ guest });
      bench.offered();
      const { capabilities, enabled } = bench.ifp('nic1');
      bench.plug();
      bench.settle();
      const narrowed = bench.ifp('nic1').capabilities;
      const ofVf = bench.ifp('nic1.vf').capabilities;
      expect(narrowed & ~ofVf).toBe(guest === 'freebsd-13' ? 0 : narrowed);
      bench.revoke();
      bench.settle();
      const after = [bench.ifp('nic1').capabilities, bench.ifp('nic1').enabled];
      if (guest === 'freebsd-13') expect(after).toEqual([capabilities, enabled]);
      else expect(after).toEqual([narrowed, narrowed]);
    }
  });

  test('G-36: a VF that was there before its hn is never paired', () => {
    for (const [mended, master] of [
      [false, undefined],
      [true, 'nic1'],
    ] as const) {
      const bench = new HnBench({ fixes: { 'hn-scans': mended } });
      bench.host({ do: 'offer-vf', nic: 'nic1' });
      bench.settle();
      bench.host({ do: 'offer', nic: 'nic1' });
      bench.settle();
      expect(bench.masterOf('nic1.vf')).toBe(master);
    }
  });

  test('G-39: an eject while the bridge is being attached', () => {
    for (const mended of [false, true]) {
      const bench = new HnBench({ vf: 'mlx5', fixes: { 'eject-on-bus-queue': mended } }).offered();
      bench.plug();
      bench.pass(ms(200)); // its driver takes 460 ms
      bench.revoke();
      bench.settle();
      expect(bench.faults()).toEqual(mended ? [] : ['use after free of nic1.vf.hv_pci_dev by bus_generic_attach']);
      const deferred = bench.told('log').some(({ text }) => text.includes('Deferring detach'));
      expect(deferred).toBe(!mended);
    }
  });

  test('G-40: a function that is asked for twice', () => {
    for (const mended of [false, true]) {
      const bench = new HnBench({ fixes: { 'eject-once': mended } }).carrying();
      const fault = {
        fault: 'duplicate',
        message: 'eject',
        from: 'host',
        dev: 'nic1.vf',
        times: 1,
        may: false,
      } as const;
      bench.host({ do: 'arm-fault', nic: 'nic1', fault });
      bench.revoke();
      bench.settle();
      expect(bench.faults()).toEqual(mended ? [] : ['double free of nic1.vf.hv_pci_dev by hv_eject_device_work']);
    }
  });

  test('G-49: an MTU with which hn cannot come back', () => {
    for (const mended of [false, true]) {
      const bench = new HnBench({ fixes: { 'hn-mtu-rollback': mended } }).carrying();
      bench.refuseBuffer();
      expect(bench.command({ do: 'mtu', ifname: 'hn0', mtu: 1400 })).toBe('EIO');
      bench.settle();
      expect([bench.ifp('nic1').mtu, bench.ifp('nic1.vf').mtu]).toEqual(mended ? [1500, 1500] : [1500, 1400]);
      const sessions = bench.told('nvsp.message').filter(({ name }) => name === 'init');
      expect(sessions).toHaveLength(mended ? 3 : 2);
    }
  });

  test('H: a VF that somebody takes down keeps the path, and what is sent by it is lost', () => {
    for (const [mended, path] of [
      [false, 'vf'],
      [true, 'synthetic'],
    ] as const) {
      const bench = new HnBench({ fixes: { 'hn-hears-down': mended } }).carrying();
      expect(bench.command({ do: 'down', ifname: 'exvf0' })).toBe('done');
      bench.settle();
      expect(bench.paths()[0]).toBe(path);
      expect(bench.command({ do: 'up', ifname: 'exvf0' })).toBe('done');
      bench.settle();
      expect(bench.paths()).toEqual(['vf', 'vf']);
    }
  });

  test('with all that would mend them nothing of it happens', () => {
    const bench = new HnBench({ guest: 'ideal' }).carrying();
    for (const order of ['eject-first', 'surprise'] as const) {
      bench.revoke(order);
      bench.settle();
      bench.plug();
      bench.settle();
    }
    expect(bench.faults()).toEqual([]);
    expect(bench.events.map(names)).toContain('netvsc.vf');
    expect(bench.paths()).toEqual(['vf', 'vf']);
  });
});

describe('without transparent mode', () => {
  const fixes = { 'vf-transparent': false } as const;

  test('the VF is one more interface until it is up, and then the host sends by it', () => {
    const bench = new HnBench({ fixes }).carrying();
    expect(bench.masterOf('nic1.vf')).toBe('nic1');
    expect(bench.machine.host.pathOf('nic1')).toBe('synthetic');
    bench.command({ do: 'up', ifname: 'exvf0' });
    bench.settle();
    expect(bench.machine.host.pathOf('nic1')).toBe('vf');
    expect(bench.guest.pathOf('nic1')).toBe('synthetic'); // what hn is given goes by its own rings
    expect(bench.ifp('nic1').link.now).toBe('down');
    bench.command({ do: 'down', ifname: 'exvf0' });
    bench.settle();
    expect(bench.machine.host.pathOf('nic1')).toBe('synthetic');
    expect(bench.ifp('nic1').link.now).toBe('up');
    const told = bench.told('devctl').filter(({ system }) => system === 'HYPERV_NIC_VF');
    expect(told.map(({ subsystem, type }) => `${subsystem} ${type}`)).toEqual(['hn0 VF_UP', 'hn0 VF_DOWN']);
  });

  test('devd brings the VF up, for it stands beside an hn of its address', () => {
    const bench = new HnBench({ fixes, user: ['devd'] }).carrying();
    expect(bench.told('devd').filter(({ action }) => action === 'hyperv_vfattach')).toHaveLength(2);
    expect(bench.has('nic1.vf', 'UP')).toBe(true);
    expect(bench.machine.host.pathOf('nic1')).toBe('vf');
  });

  test('it leaves when it is revoked, and the path with it', () => {
    const bench = new HnBench({ fixes, user: ['devd'] }).carrying();
    bench.revoke();
    bench.settle();
    expect([bench.find('nic1.vf'), bench.machine.host.pathOf('nic1')]).toEqual([undefined, 'synthetic']);
    expect(bench.faults()).toEqual([]);
  });
});
