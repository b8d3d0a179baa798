import { expect, test } from 'vitest';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { formatProblem } from '../../src/scenario/problem.ts';
import { runScenario } from '../../src/scenario/run.ts';
import type { Event } from '../../src/trace/event.ts';

/** Two NICs, of which the first has a VF that carries, and then these lines. */
function run(lines: readonly string[]) {
  const text = `name: a test
about: What an administrator does in a FreeBSD guest.
guest: freebsd-14
nics:
  nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 }
  nic2: { mac: "00:0d:3a:12:34:57" }
steps: |
  +0ms host offer nic1
  +0ms host offer nic2
  ~5s  expect nic2 is present
  +0ms guest up nic1
  +0ms host plug vf of nic1
  ~10s expect nic1.vf is up
${lines.map((line) => `  ${line}\n`).join('')}always: []
`;
  const loaded = loadScenario(text, 'a.yaml', VOCABULARY);
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'));
  const events: Event[] = [];
  const { verdict } = runScenario(loaded.value, makeStage, { listeners: [(event) => events.push(event)] });
  const refusals = events.flatMap((event) => (event.kind === 'netdev.error' ? [`${event.what}: ${event.errno}`] : []));
  return { refusals, events, failures: verdict.failures.map(({ what, found }) => `${what}: ${found}`) };
}

test.each([
  ['a jail that does not exist', 'guest try move nic1 to namespace nowhere', 'SIOCSIFVNET: ENXIO'],
  ['the vnet that it is in', 'guest try move nic1 to namespace vnet0', 'SIOCSIFVNET: EEXIST'],
  ['back from where it is not', 'guest try reclaim nic1 from namespace vnet0', 'SIOCSIFRVNET: EEXIST'],
  ['a jail that is there', 'guest try make namespace vnet0', 'jail_set: EEXIST'],
  ['the end of no jail', 'guest try delete namespace nowhere', 'jail_remove: EINVAL'],
  ['a name that is taken', 'guest try rename nic1 to hn1', 'SIOCSIFNAME: EEXIST'],
  ['an address that it lacks', 'guest try remove address 10.0.0.1 from nic1', 'SIOCDIFADDR: EADDRNOTAVAIL'],
  ['a name that is too long', 'guest try rename nic1 to sixteen-letters-', 'SIOCSIFNAME: ENAMETOOLONG'],
  [
    'a clone of a name that is too long',
    'guest try create tap1234567890123',
    'SIOCIFCREATE2 tap1234567890123: ENAMETOOLONG',
  ],
  ['a number that nobody has', 'guest try join ff02::1 by number 77', 'IP_ADD_MEMBERSHIP: EADDRNOTAVAIL'],
  ['a unit that there is not', 'guest try create tap123456', 'SIOCIFCREATE2 tap123456: ENOSPC'],
  ['a cloner that there is not', 'guest try create em0', 'SIOCIFCREATE2 em0: EINVAL'],
  ['the end of hardware', 'guest try destroy hn0', 'SIOCIFDESTROY hn0: EINVAL'],
  ['a device that there is not', 'guest try open tun0', 'open /dev/tun0: ENOENT'],
  ['an MTU that is out of range', 'guest try mtu nic1 70', 'SIOCSIFMTU: EINVAL'],
])('%s: the errno is in the trace, and the run goes on', (_, line, refusal) => {
  const { refusals, failures } = run([
    `+0ms ${line}`,
    '+0ms guest rename nic2 to last',
    '~0s expect nic2 is named last',
  ]);
  expect(refusals).toEqual([refusal]);
  expect(failures).toEqual([]);
});

test('what is done to a VF that has gone is refused, and the run goes on', () => {
  const { refusals, failures } = run([
    '+0ms host revoke vf of nic1',
    '~5s expect nic1.vf is absent',
    '+0ms guest try down nic1.vf',
    '+0ms guest rename nic2 to last',
  ]);
  expect([refusals, failures]).toEqual([[], []]);
});

test('a module that brings a cloner is loaded when somebody on the host asks for a clone, and takes its clones with it', () => {
  const { failures } = run([
    '+0ms guest try unload if_bridge',
    '+0ms expect errno ENOENT',
    '+0ms guest make namespace jail',
    '+0ms guest try create bridge0 in namespace jail',
    '+0ms expect errno EINVAL',
    '+0ms guest create bridge0',
    '+0ms guest try load if_bridge',
    '+0ms expect errno EEXIST',
    '+0ms guest create bridge0 in namespace jail',
    '+0ms guest unload if_bridge',
    '+0ms guest try destroy bridge0',
    '+0ms expect errno ENXIO',
    '+0ms guest try destroy bridge0 in namespace jail',
    '+0ms expect errno ENXIO',
    '+0ms guest create bridge0',
    '+0ms guest unload if_bridge',
  ]);
  expect(failures).toEqual([]);
});

test('packets can be put off and diverted, and one program has the divert socket', () => {
  const { failures, events } = run([
    '+0ms guest dispatch packets deferred',
    '+0ms guest divert packets out',
    '+0ms guest try divert packets in',
    '+0ms expect errno EADDRINUSE',
    '+0ms host send frame to nic2',
    '+0ms guest up nic2',
    '+0ms host send frame to nic2',
    '+0ms host send fragment to nic2',
    '+1s expect nic2 is up',
    '+0ms guest dispatch packets direct',
    '+0ms host send frame to nic2',
  ]);
  expect(failures).toEqual([]);
  // Neither what comes to an interface that is down, nor what whoever takes it in carries on.
  const putOff = events.flatMap((event) => (event.kind === 'packet.input' ? [event.dev] : []));
  expect(putOff).toEqual(['nic2', 'nic2']);
});

test('modules of cloners are there to be named, and none is loaded at boot', () => {
  const { modules, modulesAtBoot } = VOCABULARY.guests.freebsd;
  expect(modules.filter((name) => !modulesAtBoot.includes(name))).toEqual(['if_bridge', 'if_epair', 'ng_ether']);
  const loaded = run([]).events.flatMap((event) => (event.kind === 'module' ? [event.module] : []));
  expect(loaded).toEqual(modulesAtBoot);
});

test('without "try" a refusal fails the scenario', () => {
  expect(run(['+0ms guest move nic1 to namespace nowhere', '+0ms guest rename nic2 to last']).failures).toEqual([
    'guest move nic1 to namespace nowhere: refused: ENXIO',
  ]);
});

test('a name too long is found before anything runs', () => {
  expect(() => run(['+0ms guest rename nic1 to abcdefghijklmnop'])).toThrow(
    'a.yaml:14: "abcdefghijklmnop" has more than 15 characters: write "guest try" for a refusal',
  );
});

test('an interface goes to a jail and comes back, with nobody waiting for either', () => {
  const { events, failures } = run([
    '+0ms guest make namespace jail',
    '+0ms guest move nic2 to namespace jail meanwhile',
    '~1s expect nic2 is in namespace jail',
    '+0ms guest reclaim nic2 from namespace jail meanwhile',
    '~1s expect nic2 is in namespace vnet0',
  ]);
  expect(failures).toEqual([]);
  expect(events.filter(({ kind }) => kind === 'netdev.netns')).toHaveLength(2);
});

test('addresses come and go, and datagrams leave by their routes and by number', () => {
  const { events, failures, refusals } = run([
    '+0ms guest add address 10.0.1.4 to nic1',
    '+0ms guest send to 10.0.1.4',
    '+0ms guest send by number 2',
    '+0ms guest join ff02::1 by number 2',
    '+0ms guest remove address 10.0.1.4 from nic1',
    '+0ms guest try send to 10.0.1.4',
  ]);
  expect([failures, refusals]).toEqual([[], []]);
  const told = events.flatMap((event) => (event.kind === 'routing' ? [`${event.message} ${event.what}`] : []));
  expect(told).toEqual(
    expect.arrayContaining(['RTM_NEWADDR 10.0.1.4', 'RTM_NEWMADDR ff02::1', 'RTM_DELADDR 10.0.1.4']),
  );
});

test('an epair is made, one end goes to a jail, and with the jail it comes back', () => {
  const { events, failures } = run([
    '+0ms guest make namespace jail',
    '+0ms guest create epair',
    '+0ms guest lend epair0b to namespace jail',
    '+0ms guest create tap5 in namespace jail',
    '+0ms guest delete namespace jail',
    '+0ms guest destroy epair0b',
  ]);
  expect(failures).toEqual([]);
  const states = events.flatMap((event) =>
    event.kind === 'ifnet.state' && event.dev === 'epair0b' ? event.state : [],
  );
  expect(states).toEqual([
    'allocated',
    'attached',
    'moving',
    'attached',
    'moving',
    'attached',
    'unlinked',
    'index-freed',
    'zombie',
    'freed',
  ]);
  const tap = events.filter((event) => event.kind === 'ifnet.state' && event.dev === 'jail.tap5');
  expect(tap.at(-1)).toMatchObject({ state: 'freed' });
});

test('what is cloned is a matter of FreeBSD: a scenario for Linux has no line for it', () => {
  const text = `name: a test
about: A line that only one guest has.
guest: linux-6.12
nics:
  nic1: { mac: "00:0d:3a:12:34:56" }
steps: |
  +0ms guest create tap0
`;
  const loaded = loadScenario(text, 'a.yaml', VOCABULARY);
  expect(loaded.ok ? [] : loaded.error.map(formatProblem)).toEqual([
    expect.stringContaining('this is a command that only FreeBSD has'),
  ]);
});
