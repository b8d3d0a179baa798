import { describe, expect, test } from 'vitest';
import { IfnetBench } from './ifnet-bench.ts';

describe('attach', () => {
  test('it is found by its number before it has a place on the list, and announced before it has its MAC', () => {
    const bench = new IfnetBench();
    const macs: string[] = [];
    bench.run(() =>
      bench.net.events.register('ifnet_arrival_event', {
        name: 'watcher',
        priority: 10_000,
        *handle(ifp) {
          macs.push(ifp.mac);
        },
      }),
    );
    const ifp = bench.attached('d1');
    expect(bench.story('d1')).toEqual([
      'in index',
      'allocated',
      'in name',
      'attached',
      'RTM_IFANNOUNCE arrival',
      'watcher: ifnet_arrival_event',
      'devctl IFNET ATTACH',
      'devctl ETHERNET IFATTACH',
    ]);
    expect([...macs, ifp.mac]).toEqual(['00:00:00:00:00:00', '00:0d:3a:00:00:01']);
    expect([ifp.name, ifp.index]).toEqual(['em1', 1]);
  });
});

describe('detach', () => {
  test('a monitor sees it vanish from listings before it hears that it is down, and that before it departs', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    const from = bench.events.length;
    bench.run(() => bench.remove(ifp));
    expect(bench.story('d1', from)).toEqual([
      'out of name',
      '+DYING',
      'unlinked',
      'RTM_IFINFO',
      'RTM_IFANNOUNCE departure',
      'devctl IFNET DETACH',
      'out of index',
      'index-freed',
      'freed',
    ]);
    expect(bench.faults()).toEqual([]);
  });
});
