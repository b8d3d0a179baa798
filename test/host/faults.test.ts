import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import type { HostFault } from '../../src/host/fault-points.ts';
import { RunOn } from '../../src/sim/strategy.ts';
import type { Event } from '../../src/trace/event.ts';
import { TRANSPORTS } from '../bus/on-bus.ts';
import { arm, fail, faultsOf, ofGuest, ofHost, struck } from './arming.ts';
import type { FakeGuest, Options } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

describe.each(TRANSPORTS)('messages of the host, over %s', (transport) => {
  const ready = (): FakeNic => new FakeNic(connectedGuest({ transport })).negotiated().rndisReady();
  const plug = ({ guest }: FakeNic): void => {
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle();
  };

  test('one that is lost never comes, and only so many are', () => {
    const nic = ready();
    arm(nic.guest, ofHost('drop', 'sendVfAssociation'));
    plug(nic);
    expect(nic.said()).toEqual([]);
    expect(nic.guest.told('nvsp.message').map(({ name }) => name)).not.toContain('sendVfAssociation');
    expect(struck(nic.guest)).toEqual(['drop sendVfAssociation (from host)']);
    expect(faultsOf(nic.guest)).toBeUndefined();
    nic.guest.act({ do: 'associate', nic: 'nic1' });
    expect(nic.said()).toEqual(['association 1 serial 2']);
  });

  test('one that is late comes after its time', () => {
    const nic = ready();
    arm(nic.guest, ofHost('delay', 'sendVfAssociation', { by: ms(100) }));
    plug(nic);
    nic.guest.settle(ms(70));
    expect(nic.said()).toEqual([]);
    nic.guest.settle(ms(20));
    expect(nic.said()).toEqual(['association 1 serial 2']);
    expect(struck(nic.guest)).toEqual(['delay sendVfAssociation (from host, by 100 ms)']);
  });

  test('one that comes twice is told of twice', () => {
    const nic = ready();
    arm(nic.guest, ofHost('duplicate', 'sendVfAssociation'));
    plug(nic);
    expect(nic.said()).toEqual(['association 1 serial 2', 'association 1 serial 2']);
    const told = nic.guest.told('nvsp.message').filter(({ name }) => name === 'sendVfAssociation');
    expect(told).toHaveLength(2);
    expect(told[0]?.step).not.toBe(told[1]?.step);
  });

  test('one that is overtaken comes right behind the next of its channel', () => {
    const nic = ready();
    arm(nic.guest, ofHost('reorder', 'sendVfAssociation'));
    plug(nic);
    nic.guest.settle(ms(500));
    expect(nic.said()).toEqual([]);
    nic.guest.act({ do: 'disassociate', nic: 'nic1' });
    expect(nic.said()).toEqual(['association 0 serial 2', 'association 1 serial 2']);
  });

  test('RNDIS: what comes twice lies in two sections, and what is lost takes none', () => {
    const nic = ready();
    const { guest } = nic;
    nic.control.length = 0;
    arm(guest, ofHost('duplicate', 'setComplete'));
    nic.filter(1);
    nic.pull();
    expect(nic.control).toMatchObject([{ name: 'setComplete' }, { name: 'setComplete' }]);
    expect(guest.told('host.refused')).toEqual([]);
    arm(guest, ofHost('drop', 'setComplete', { times: 200 }));
    for (let i = 0; i < 200; i++) nic.filter(1);
    nic.control.length = 0;
    nic.filter(1);
    nic.pull();
    expect(nic.control).toMatchObject([{ name: 'setComplete' }]);
    expect(guest.told('host.refused')).toEqual([]);
  });

  test('a completion: the path has moved, and the guest hears of it never, late or twice', () => {
    for (const fault of ['drop', 'delay', 'duplicate'] as const) {
      const nic = ready();
      plug(nic);
      nic.pull();
      arm(nic.guest, ofHost(fault, 'switchDataPathComplete', { by: ms(40) }));
      nic.say({ name: 'switchDataPath', activeDataPath: 1 }, 77n);
      nic.guest.settle(ms(20));
      expect(nic.guest.host.pathOf('nic1')).toBe('vf');
      const early = nic.pull().filter(({ transactionId }) => transactionId === 77n).length;
      nic.guest.settle(ms(40));
      const late = nic.pull().filter(({ transactionId }) => transactionId === 77n).length;
      expect([fault, early, late]).toEqual([fault, ...{ drop: [0, 0], delay: [0, 1], duplicate: [2, 0] }[fault]]);
    }
  });

  test('of the VMBus: an offer that is late, an answer that comes twice', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    arm(guest, ofHost('delay', 'offerChannel', { dev: 'nic1.vf', by: ms(300) }));
    arm(guest, ofHost('duplicate', 'gpadlCreated', { dev: 'nic1' }));
    plug(nic);
    guest.settle(ms(200));
    expect(guest.messages).toEqual([]);
    guest.buffer(nic.relid, 2);
    expect(guest.messages.map(({ name }) => name)).toEqual(['gpadlCreated']);
    guest.settle(ms(300));
    expect(guest.messages.map(({ name }) => name)).toEqual(['gpadlCreated', 'offerChannel']);
    expect(faultsOf(guest, 'host.vmbus')).toBeUndefined();
  });

  test('what was held back of a session that has ended does not come in the next', () => {
    const guest = connectedGuest({ transport });
    const offer = guest.take('offerChannel');
    const nic = new FakeNic(guest, offer).negotiated().rndisReady();
    arm(guest, ofHost('delay', 'sendVfAssociation', { by: ms(50) }));
    arm(guest, ofHost('reorder', 'indicateStatus'));
    plug(nic);
    guest.act({ do: 'nic-link', nic: 'nic1', up: false });
    nic.channel.close();
    guest.bus.freeRings(nic.channel.rings);
    const next = new FakeNic(guest, offer).negotiated();
    guest.settle(ms(100));
    expect(next.said()).toEqual([]);
    expect(next.control).toEqual([]);
    expect(faultsOf(guest)).toBeUndefined();
  });
});

describe.each(TRANSPORTS)('messages of the guest, over %s', (transport) => {
  const withVf = (): FakeNic => {
    const nic = new FakeNic(connectedGuest({ transport })).negotiated().rndisReady();
    nic.guest.act({ do: 'plug-vf', nic: 'nic1' });
    nic.guest.settle(seconds(2));
    nic.pull();
    return nic;
  };
  const ask = (nic: FakeNic, span = ms(20)): number => {
    nic.say({ name: 'switchDataPath', activeDataPath: 1 }, 77n);
    nic.guest.settle(span);
    return nic.pull().length;
  };

  test('one that is lost was sent, and is never answered', () => {
    const nic = withVf();
    arm(nic.guest, ofGuest('drop', 'switchDataPath'));
    expect(ask(nic)).toBe(0);
    expect(nic.guest.host.pathOf('nic1')).toBe('synthetic');
    expect(struck(nic.guest)).toEqual(['drop switchDataPath (from guest)']);
    expect(nic.guest.told('nvsp.message').at(-1)).toMatchObject({ from: 'guest', name: 'switchDataPath' });
    expect(ask(nic)).toBe(1);
  });

  test('one that comes late is taken up late, one that comes twice twice', () => {
    const nic = withVf();
    arm(nic.guest, ofGuest('delay', 'switchDataPath', { by: ms(100) }));
    expect(ask(nic)).toBe(0);
    nic.guest.settle(ms(100));
    expect(nic.guest.host.pathOf('nic1')).toBe('vf');
    nic.pull();
    arm(nic.guest, ofGuest('duplicate', 'switchDataPath'));
    expect(ask(nic)).toBe(2);
    expect(nic.guest.story('host.refused', ({ why }) => why)).toEqual([
      'the path is vf already',
      'the path is vf already',
    ]);
  });

  test('one that is overtaken is taken up behind the next', () => {
    const nic = new FakeNic(connectedGuest({ transport }));
    nic.ask({ name: 'init', minVersion: 0x60001, maxVersion: 0x60001 });
    arm(nic.guest, ofGuest('reorder', 'subchannelRequest'));
    nic.say({ name: 'subchannelRequest', op: 1, count: 3 }, 5n);
    nic.guest.settle(ms(100));
    expect(nic.pull()).toEqual([]);
    nic.say({ name: 'sendSendBuffer', gpadl: 9, id: 0 }, 6n);
    expect(nic.pull().map(({ transactionId }) => transactionId)).toEqual([6n, 5n]);
  });
});

describe.each(TRANSPORTS)('a silent host, over %s', (transport) => {
  const silence: HostFault = { fault: 'silence', dev: 'nic1', may: false };

  test('takes everything, says nothing, and loses frames; then it speaks again, of new things only', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.soon(guest.host.startStream({ flow: 'video', nic: 'nic1', every: ms(3), bytes: 200 }));
    arm(guest, silence);
    nic.pull();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    nic.say({ name: 'subchannelRequest', op: 1, count: 3 }, 5n);
    guest.settle(ms(50));
    expect(nic.pull()).toEqual([]);
    expect(struck(guest)).toEqual(['silence sendVfAssociation ()', 'silence subchannelComplete ()']);
    expect(guest.told('frame.lost').every(({ where }) => where === 'host is silent')).toBe(true);
    expect(guest.told('frame.lost').length).toBeGreaterThan(10);
    expect(guest.act({ do: 'answer-again', nic: 'nic1', dev: 'nic1' })).toBe('taken up');
    expect(guest.act({ do: 'answer-again', nic: 'nic1', dev: 'nic1' })).toBe('the host is not silent to nic1');
    guest.settle(ms(20));
    expect(nic.pull().map(({ type }) => type)).toContain('transferPages');
    expect(nic.said()).toEqual([]);
    expect(nic.ask({ name: 'subchannelRequest', op: 1, count: 3 })).toMatchObject({ status: 1 });
  });

  test('is silent to one channel: the VF is offered, and its NIC is answered', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    arm(guest, { ...silence, dev: 'nic1.vf' });
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(seconds(2));
    const vf = new FakeVf(guest);
    expect(() => vf.ask({ name: 'queryProtocolVersion', version: 0x10004 })).toThrow('was not completed');
    expect(nic.said()).toEqual(['association 1 serial 2']);
  });
});

describe('left to the strategy', () => {
  /** Says what it is asked, and takes its answers from a list. */
  class Asked extends RunOn {
    readonly asked: string[] = [];
    private readonly answers: readonly number[];

    constructor(...answers: readonly number[]) {
      super();
      this.answers = answers;
    }

    override value(why = '', n = 0): number {
      this.asked.push(`${why}, one of ${n}`);
      return this.answers[this.asked.length - 1] ?? 0;
    }
  }

  test('it is asked once a message, and until it has struck', () => {
    const strategy = new Asked(0, 0, 1);
    const nic = new FakeNic(connectedGuest({ strategy })).negotiated().rndisReady();
    nic.control.length = 0;
    arm(nic.guest, ofHost('drop', 'setComplete', { may: true }));
    for (let i = 0; i < 5; i++) nic.filter(1);
    expect(strategy.asked).toEqual(Array.from({ length: 3 }, () => 'drop setComplete of nic1, one of 2'));
    expect(nic.control.filter(({ name }) => name === 'setComplete')).toHaveLength(4);
    expect(faultsOf(nic.guest)).toBeUndefined();
  });

  test('of several that fit each is asked, in the order in which they were armed, until one strikes', () => {
    const strategy = new Asked(0, 0, 1);
    const nic = new FakeNic(connectedGuest({ strategy })).negotiated().rndisReady();
    for (const fault of ['drop', 'delay', 'duplicate'] as const) {
      arm(nic.guest, ofHost(fault, 'setComplete', { may: true }));
    }
    arm(nic.guest, ofGuest('drop', 'set', { may: true }));
    nic.filter(1);
    expect(strategy.asked).toEqual([
      'drop set from guest of nic1, one of 2',
      'drop setComplete of nic1, one of 2',
      'delay setComplete of nic1, one of 2',
    ]);
    expect(struck(nic.guest)).toEqual(['delay setComplete (from host, by 3 ms)']);
  });

  test('a host that may fall silent does so at one of its messages, and goes on being silent', () => {
    const strategy = new Asked(0, 1);
    const nic = new FakeNic(connectedGuest({ strategy })).negotiated().rndisReady();
    arm(nic.guest, { fault: 'silence', dev: 'nic1', may: true });
    nic.say({ name: 'subchannelRequest', op: 1, count: 3 }, 5n);
    nic.say({ name: 'subchannelRequest', op: 1, count: 3 }, 6n);
    nic.say({ name: 'subchannelRequest', op: 1, count: 3 }, 7n);
    expect(nic.pull().map(({ transactionId }) => transactionId)).toEqual([5n]);
    expect(strategy.asked).toEqual(['silence of nic1, one of 2', 'silence of nic1, one of 2']);
  });
});

describe.each(TRANSPORTS)('held back, armed and silent are records, over %s', (transport) => {
  const story = (options: Options): FakeGuest => {
    const guest = connectedGuest({ transport, ...options });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    arm(guest, ofHost('delay', 'sendVfAssociation', { by: ms(70) }));
    arm(guest, ofHost('delay', 'offerChannel', { dev: 'nic1.vf', by: ms(70) }));
    arm(guest, ofHost('reorder', 'setComplete'));
    arm(guest, ofGuest('delay', 'switchDataPath', { by: ms(33) }));
    arm(guest, ofHost('duplicate', 'switchDataPathComplete'));
    arm(guest, ofHost('drop', 'busD0EntryComplete', { dev: 'nic1.vf' }));
    arm(guest, fail('query', 0xc000_0001));
    nic.filter(1);
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(seconds(2));
    const vf = new FakeVf(guest);
    expect(() => vf.probed()).toThrow('busD0Entry was not completed');
    nic.say({ name: 'switchDataPath', activeDataPath: 1 }, 3n);
    guest.settle(ms(100));
    arm(guest, { fault: 'silence', dev: 'nic1', may: false });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'surprise' });
    guest.settle(seconds(3));
    guest.act({ do: 'answer-again', nic: 'nic1', dev: 'nic1' });
    nic.pull();
    return guest;
  };
  const line = ({ step: _, ...told }: Event): string => JSON.stringify(told);

  test('a host that is rebuilt at every rest tells the same', () => {
    const straight = story({});
    const reborn = story({ reborn: true });
    expect(reborn.rebirths).toBeGreaterThan(10);
    expect(straight.told('fault').length).toBeGreaterThan(6);
    expect(reborn.events.map(line)).toEqual(straight.events.map(line));
  });
});
