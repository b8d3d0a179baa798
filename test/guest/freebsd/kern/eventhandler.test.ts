import { describe, expect, test } from 'vitest';
import type { EventHandler } from '../../../../src/guest/freebsd/kern/eventhandler.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';

/** A list of handlers alone, and what they note. */
class List {
  readonly bench = new IfnetBench();
  readonly heard: string[] = [];
  private readonly events = this.bench.net.events;

  handler(name: string, priority: number, then?: EventHandler<'group_change_event'>['handle']) {
    const { heard } = this;
    const handler: EventHandler<'group_change_event'> = {
      name,
      priority,
      *handle(group) {
        heard.push(name);
        if (then !== undefined) yield* then(group);
      },
    };
    return handler;
  }

  register(name: string, priority: number, then?: EventHandler<'group_change_event'>['handle']) {
    const handler = this.handler(name, priority, then);
    this.bench.run(() => this.events.register('group_change_event', handler));
    return handler;
  }

  raise(): string {
    this.heard.length = 0;
    this.bench.run(() => this.events.raise('group_change_event', 'all'));
    return this.heard.join(' ');
  }
}

test('lower priority first, equals in the order of registering', () => {
  const list = new List();
  list.register('any', 10_000);
  list.register('last', 20_000);
  list.register('first', 0);
  list.register('any too', 10_000);
  expect(list.raise()).toBe('first any any too last');
});

describe('what comes and goes under a dispatch', () => {
  test('a handler that comes behind the current one is called, one before it is not', () => {
    const list = new List();
    list.register('middle', 10, () => list.bench.net.events.register('group_change_event', list.handler('late', 20)));
    expect(list.raise()).toBe('middle late');
    const other = new List();
    other.register('middle', 10, () => other.bench.net.events.register('group_change_event', other.handler('late', 5)));
    expect(other.raise()).toBe('middle');
  });

  test('one that goes is not called any more', () => {
    const list = new List();
    const later = list.handler('later', 20);
    list.register('first', 10, () => list.bench.net.events.deregisterNoWait('group_change_event', later));
    list.bench.run(() => list.bench.net.events.register('group_change_event', later));
    expect(list.raise()).toBe('first');
  });

  test('whoever takes it away waits until all dispatches have ended: from within one, for ever', () => {
    const list = new List();
    const self = list.handler('self', 10, () => list.bench.net.events.deregister('group_change_event', self));
    list.bench.run(() => list.bench.net.events.register('group_change_event', self));
    list.raise();
    const waiting = [...list.bench.sim.alive()].filter(({ daemon }) => !daemon).map(({ operation }) => operation?.kind);
    expect(waiting).toEqual(['whenIdle']);
  });
});

test('nobody hears of what was there before him', () => {
  const bench = new IfnetBench();
  bench.attached('d1');
  const heard = bench.listener('ifnet_arrival_event', 'late', 10_000);
  bench.attached('d2');
  expect(heard).toEqual(['em2']);
});

test('two threads go through one list at once', () => {
  const bench = new IfnetBench();
  const { events, sim } = bench.net;
  const heard: string[] = [];
  const slow: EventHandler<'group_change_event'> = {
    name: 'slow',
    priority: 0,
    *handle(group) {
      heard.push(`begins ${group}`);
      yield* sim.sleep(1000, 'a slow handler');
      heard.push(`ends ${group}`);
    },
  };
  bench.run(() => events.register('group_change_event', slow));
  sim.spawn('a', 'guest', events.raise('group_change_event', 'a'));
  sim.spawn('b', 'guest', events.raise('group_change_event', 'b'));
  sim.run();
  expect(heard).toEqual(['begins a', 'begins b', 'ends a', 'ends b']);
});
