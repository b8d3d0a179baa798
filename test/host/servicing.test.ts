import { expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import type { HostAction } from '../../src/host/action.ts';
import { type FakeGuest, nic1, nic2 } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

const update: Extract<HostAction, { do: 'update-firmware' }> = {
  do: 'update-firmware',
  order: 'eject-first',
  gap: seconds(64),
  times: 1,
  serial: 'same',
};

/** Phases with the second in which each began, counted from the first. */
function phases(guest: FakeGuest): string[] {
  const all = guest.told('servicing.phase');
  const from = all[0]?.time ?? 0;
  return all.map(({ phase, round, time }) => `${phase} ${round} at ${Math.round((time - from) / 1e9)} s`);
}

function serviced(nics = [nic1]) {
  const guest = connectedGuest({ nics });
  const ports = nics.map(() => new FakeNic(guest).negotiated().rndisReady());
  for (const { name } of nics) guest.act({ do: 'plug-vf', nic: name });
  guest.settle(ms(100));
  return { guest, ports, vfs: nics.map(() => new FakeVf(guest).probed()) };
}

function letGo(guest: FakeGuest, vfs: readonly FakeVf[]): void {
  for (const vf of vfs) {
    vf.letGo();
    vf.release();
  }
  guest.settle(seconds(2));
}

test('all VFs go at once, and come back when the gap since the revoke is over', () => {
  const { guest, ports, vfs } = serviced([nic1, nic2]);
  expect(guest.act(update)).toBe('taken up');
  expect(vfs.map((vf) => vf.heard().map((message) => message.name))).toEqual([['eject'], ['eject']]);
  letGo(guest, vfs);
  guest.settle(seconds(60));
  expect(phases(guest)).toEqual(['revoke 1 at 0 s', 'gap 1 at 1 s']);
  guest.settle(seconds(4));
  guest.messages.splice(0, 2);
  for (const port of ports) {
    expect(port.said()).toContain(`association 1 serial ${port === ports[0] ? 2 : 3}`);
    new FakeVf(guest).probed();
    port.switchTo(1);
  }
  expect(guest.host.servicingDone).toBe(true);
  expect(phases(guest).slice(2)).toEqual(['return 1 at 64 s', 'done 1 at 66 s']);
});

test('rounds follow one another when the VFs carry again, with another serial each time', () => {
  const { guest, ports, vfs } = serviced();
  const [port] = ports;
  port?.said();
  guest.act({ ...update, gap: seconds(5), times: 2, serial: 'different', family: 'mana' });
  let current = vfs;
  const serials: string[] = [];
  for (let round = 1; round <= 2; round++) {
    letGo(guest, current);
    guest.take('rescindChannelOffer');
    guest.settle(seconds(5));
    serials.push(...(port?.said() ?? []));
    current = [new FakeVf(guest).probed()];
    port?.switchTo(1);
    expect(guest.host.servicingDone).toBe(round === 2);
    if (round === 1) port?.switchTo(0);
  }
  expect(serials).toEqual([
    'association 0 serial 2',
    'association 1 serial 3',
    'association 0 serial 3',
    'association 1 serial 4',
  ]);
});

test('a guest that keeps its VF is waited for, then overridden; one that does not use it is waited for 30 s', () => {
  const { guest } = serviced();
  guest.act({ ...update, gap: seconds(5) });
  guest.settle(seconds(200));
  expect(guest.story('host.timeout', (event) => event.what)).toEqual(['EJECTION_COMPLETE', 'the VF carries again']);
  expect(phases(guest)).toEqual(['revoke 1 at 0 s', 'gap 1 at 61 s', 'return 1 at 61 s', 'done 1 at 91 s']);
});

test('an update of nothing, and a second one at a time, are refused', () => {
  const guest = connectedGuest();
  expect(guest.act(update)).toBe('no NIC has a VF now');
  expect(connectedGuest({ nics: [{ ...nic1, vf: undefined }] }).act(update)).toBe('no NIC has a VF in the plan');
  guest.act({ do: 'plug-vf', nic: 'nic1' });
  expect(guest.act(update)).toBe('taken up');
  expect(guest.act(update)).toBe('an update is under way');
});
