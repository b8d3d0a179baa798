import { describe, expect, test } from 'vitest';
import { VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { formatStep } from '../../src/scenario/step.ts';
import { runShipped, runsOn, shipped, shippedScenarios } from '../support/shipped.ts';

const text = (steps: readonly string[], header = '', always = ''): string => `name: a test
about: What it shows.
${header}nics:
  nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 }
user: [udev, manager]
steps: |
${steps.map((step) => `  ${step}\n`).join('')}${always}`;

const load = (source: string, guest: string) => loadScenario(source, 'a.yaml', VOCABULARY, { guest });

const problems = (source: string, guest: string): readonly string[] => {
  const loaded = load(source, guest);
  return loaded.ok ? [] : loaded.error.map(({ line, message }) => `${line}: ${message}`);
};

describe('a scenario on the other guest', () => {
  test('leaves out the lines that are for one guest, and reads them all the same', () => {
    const steps = [
      '+0ms host offer nic1',
      '~5s on linux expect nic1 has flag SLAVE',
      '~5s on freebsd expect log "hn0: link state"',
      '+0ms on linux guest load hv_netvsc',
    ];
    const linux = load(text(steps), 'linux-6.12');
    const freebsd = load(text(steps), 'freebsd-14');
    const said = (loaded: typeof linux) => (loaded.ok ? loaded.value.steps.map(formatStep) : loaded.error);
    expect(said(linux)).toEqual([
      '+0 host offer nic1',
      '~5s on linux expect nic1 has flag SLAVE',
      '+0 on linux guest load hv_netvsc',
    ]);
    expect(said(freebsd)).toEqual(['+0 host offer nic1', '~5s on freebsd expect log "hn0: link state"']);
    expect(problems(text(['+0ms on linux host ofer nic1']), 'freebsd-14')).toEqual([
      expect.stringContaining('nearest: host offer <nic>'),
    ]);
  });

  test.each([
    ['expect nic1 has flag SLAVE', 'SLAVE is a flag that only Linux has'],
    ['expect log "Data path"', 'this is a log line that only Linux has'],
    ['expect nic1 is in namespace init_net', 'init_net is a namespace that only Linux has'],
    ['guest load hv_netvsc', 'hv_netvsc is a module that only Linux has'],
    ['guest fail ndo_open of nic1.vf with EIO', 'ndo_open is a call that only Linux has'],
  ])('cannot have %s', (line, problem) => {
    const found = problems(text([`+0ms ${line}`]), 'freebsd-14');
    expect(found).toEqual([`7: ${problem}: write "on linux" before it, to leave it out on FreeBSD`]);
    expect(problems(text([`+0ms ${line}`]), 'linux-5.15')).toEqual([]);
  });

  test.each([
    ['fixes: { vf-gate: off }\n', '3: fix vf-gate is one of Linux: this guest is none'],
    ['modules: [hv_netvsc]\n', '3: module hv_netvsc is one of Linux: this guest is none'],
    ['guest: linux-6.1\n', '3: it is about Linux (guest: linux-6.1), and freebsd-14 is none'],
  ])('cannot have %s', (header, problem) => {
    expect(problems(text(['+0ms host offer nic1'], header), 'freebsd-14')).toEqual([problem]);
  });

  test.each(['jails', 'jails-interface-first', 'interface-scanner'])(
    'of one that runs %s is refused on Linux, which has nothing like it',
    (observer) => {
      const source = text(['+0ms host offer nic1']).replace('[udev, manager]', `[udev, ${observer}]`);
      expect(problems(source, 'freebsd-14')).toEqual([]);
      expect(problems(source, 'linux-6.12')).toEqual([`5: observer ${observer} is one of FreeBSD: this guest is none`]);
    },
  );

  test('of one that is about FreeBSD is refused too', () => {
    const source = text(['+0ms host offer nic1'], 'guest: freebsd-13\n');
    expect(problems(source, 'freebsd-main')).toEqual([]);
    expect(problems(source, 'linux-6.12')).toEqual([
      '3: it is about FreeBSD (guest: freebsd-13), and linux-6.12 is none',
    ]);
  });

  test('has the programs that do there what the named ones do', () => {
    const source = text(['+0ms host offer nic1']).replace('[udev, manager]', '[udev, manager, cloud-init-22.4]');
    const loaded = load(source, 'freebsd-14');
    expect(loaded.ok && loaded.value.plan.user).toEqual(['devd', 'dhclient']);
    expect(loaded.ok && loaded.value.plan.modules.slice(0, 2)).toEqual(['vmbus_pcib', 'hn']);
  });

  test('is told which invariants do not bind it, and why', () => {
    const { verdict } = runShipped(shipped('vf-plug-join', { guest: 'freebsd-14' }));
    expect(verdict.exit).toBe(0);
    expect(verdict.exemptions).toContainEqual(
      expect.stringMatching(/^flagged-before-visible does not bind freebsd-14: there is no IFF_SLAVE/),
    );
    expect(runShipped(shipped('vf-plug-join')).verdict.exemptions).toEqual([]);
  });

  test('watches such an invariant where it is written for that guest', () => {
    const always = 'always: [stop-on-synthetic]\n';
    const steps = [
      '+0ms host offer nic1',
      '~5s expect nic1 is up',
      '+0ms host plug vf of nic1',
      '~10s expect datapath of nic1 is vf',
      '+1s host revoke vf of nic1',
    ];
    const loaded = load(text(steps, 'guest: freebsd-14\n', always), 'freebsd-14');
    if (!loaded.ok) throw new Error(loaded.error[0]?.message);
    const { verdict } = runShipped(loaded.value);
    expect(verdict.failures.map(({ what, found }) => `${what}: ${found}`)).toEqual([
      expect.stringMatching(/^stop-on-synthetic: nic1\.vf: it went down while the host sends by it/),
    ]);
  });
});

/** A known defect of releases since 14 (G-35): the one thing that may break there, and it does where a VF leaves. */
const CAPABILITIES_LOST: Readonly<Record<string, readonly string[]>> = {
  'firmware-update': ['capabilities-come-back'],
};

test.each([
  ['freebsd-13', {}],
  ['freebsd-14', CAPABILITIES_LOST],
  ['freebsd-main', CAPABILITIES_LOST],
  ['ideal', {}],
] as const)(
  'every shipped scenario that can holds on %s, but for what is known of it',
  (guest, known: typeof CAPABILITIES_LOST) => {
    const names = shippedScenarios.filter((name) => runsOn(name, guest));
    expect(names.length).toBeGreaterThanOrEqual(12);
    for (const name of names) {
      const { verdict } = runShipped(shipped(name, { guest, transport: 'direct' }));
      expect([name, verdict.failures.map(({ what }) => what)]).toEqual([name, known[name] ?? []]);
    }
  },
  60_000,
);
