import { describe, expect, test } from 'vitest';
import { scenarioSchema } from '../../src/scenario/header.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { formatProblem } from '../../src/scenario/problem.ts';
import { VOCABULARY } from '../support/vocabulary.ts';

const GOOD = `# yaml comment
name: a VF arrives
about: >
  What this shows.
guest: linux-5.15
nics:
  nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 }
  nic2: { mac: "00:0d:3a:12:34:57", pciSerial: 1 }
user: [udev]
fixes: { post-init-slave: on }
latency: { vf.probe: 2ms }
steps: |
  +0ms    host offer nic1

  # a comment
  +20ms   host plug vf of nic1 # another
  ~5s     expect datapath of nic1 is vf
always: [flagged-before-visible]
`;

const load = (text: string, overrides = {}) => loadScenario(text, 'a.yaml', VOCABULARY, overrides);
const problems = (text: string, overrides = {}): readonly string[] => {
  const loaded = load(text, overrides);
  return loaded.ok ? [] : loaded.error.map(formatProblem);
};

test('a scenario is read whole', () => {
  const loaded = load(GOOD);
  expect(loaded.ok && loaded.value).toEqual({
    name: 'a VF arrives',
    about: 'What this shows.',
    plan: {
      guest: 'linux-5.15',
      fixes: { 'post-init-slave': true },
      nics: [
        { name: 'nic1', mac: '00:0d:3a:12:34:56', vf: 'mlx5', synthetic: 'ws2022', serial: 1, pciSerial: 1 },
        { name: 'nic2', mac: '00:0d:3a:12:34:57', vf: undefined, synthetic: 'ws2022', serial: 2, pciSerial: 1 },
      ],
      user: ['udev'],
      modules: ['pci-hyperv', 'hv_netvsc', 'mlx5_core', 'mana'],
      latency: { 'vf.probe': 2_000_000 },
      transport: 'bytes',
    },
    needs: [],
    steps: [
      {
        line: 13,
        text: 'host offer nic1',
        when: { at: 'after', span: 0 },
        body: { kind: 'host', action: { do: 'offer', nic: 'nic1' } },
      },
      {
        line: 16,
        text: 'host plug vf of nic1',
        when: { at: 'after', span: 20_000_000 },
        body: { kind: 'host', action: { do: 'plug-vf', nic: 'nic1' } },
      },
      {
        line: 17,
        text: 'expect datapath of nic1 is vf',
        when: { at: 'within', limit: 5_000_000_000 },
        body: { kind: 'expect', question: { ask: 'datapath', nic: 'nic1', path: 'vf' } },
      },
    ],
    always: ['flagged-before-visible'],
  });
});

test('the command line wins over the file, and what neither says has a default', () => {
  const least = 'name: a\nabout: b\nnics: { nic1: { mac: "00:0d:3a:12:34:56" } }\nsteps: |\n  +0ms host offer nic1\n';
  const usual = load(least);
  expect(usual.ok && usual.value.plan).toMatchObject({ guest: 'linux-6.12', transport: 'bytes', user: [] });
  expect(usual.ok && usual.value.always.length).toBeGreaterThan(10);
  const other = load(GOOD, { guest: 'linux-6.12', transport: 'direct' });
  expect(other.ok && other.value.plan).toMatchObject({ guest: 'linux-6.12', transport: 'direct' });
});

const change = (from: string, to: string): string => {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
};

describe('what is wrong is said with its line', () => {
  test.each([
    ['unknown key', 'user: [udev]', 'usr: [udev]', 'a.yaml:9: a scenario has no "usr"; nearest: user'],
    ['unknown key of a NIC', 'vf: mlx5 }', 'vff: mlx5 }', 'a.yaml:7: nics.nic1 has no "vff"; nearest: vf'],
    ['unknown guest', 'linux-5.15', 'linux-5.51', 'a.yaml:5: no guest is called "linux-5.51"; nearest: linux-5.15'],
    ['unknown VF', 'vf: mlx5 }', 'vf: mlx4 }', 'a.yaml:7: no VF model is called "mlx4"; nearest: mlx5'],
    ['unknown observer', '[udev]', '[udevd]', 'a.yaml:9: no observer is called "udevd"; nearest: udev'],
    [
      'unknown fix',
      'post-init-slave',
      'post-init-slav',
      'a.yaml:10: no fix is called "post-init-slav"; nearest: post-init-slave',
    ],
    ['unknown row', 'vf.probe', 'vf.prob', 'a.yaml:11: no latency row is called "vf.prob"; nearest: vf.probe'],
    [
      'unknown invariant',
      '[flagged-',
      '[flaged-',
      'a.yaml:18: no invariant is called "flaged-before-visible"; nearest: flagged-before-visible',
    ],
    [
      'impossible MAC',
      '00:0d:3a:12:34:56',
      '01:0d:3a:12:34:56',
      'a.yaml:7: nics.nic1.mac: "01:0d:3a:12:34:56" is a multicast address, which no NIC has',
    ],
    ['no MAC', 'mac: "00:0d:3a:12:34:56", ', '', 'a.yaml:7: nics.nic1.mac is missing'],
    ['twice the same MAC', '34:57', '34:56', 'a.yaml:8: nic2 has the MAC of nic1'],
    [
      'twice the same serial',
      'pciSerial: 1',
      'serial: 1',
      'a.yaml:8: nic2 has the serial number 1 of nic1 (only pciSerial may be crossed)',
    ],
    [
      'serial 0',
      'pciSerial: 1',
      'serial: 0',
      'a.yaml:8: nics.nic2.serial: must be a whole number from 1 to 4294967295',
    ],
    ['twice the same NIC', '  nic2:', '  nic1:', 'a.yaml:8: the same key stands twice in one mapping'],
    [
      'odd NIC name',
      '  nic2:',
      '  NIC.2:',
      'a.yaml:8: nics.NIC.2: is no NIC name: lower case, digits and dashes, at most 20',
    ],
    ['empty value', 'name: a VF arrives', 'name:', 'a.yaml:2: name is empty'],
    ['blank value', 'name: a VF arrives', 'name: "  "', 'a.yaml:2: name: is empty'],
    ['missing value', 'name: a VF arrives\n', '', 'a.yaml:1: name is missing'],
    ['wrong type', 'user: [udev]', 'user: udev', 'a.yaml:9: user: must be a list'],
    [
      'wrong duration',
      '2ms',
      '2 weeks',
      'a.yaml:11: latency.vf.probe: "2 weeks" is no span of time such as 20ms, 1.5s or 2min (at most 30 days)',
    ],
    [
      'steps in one line',
      'steps: |\n',
      'steps: >\n',
      'a.yaml:12: steps is no block of lines: write "steps: |" and a line each',
    ],
    [
      'unknown step',
      'plug vf of nic1',
      'plgu vf of nic1',
      'a.yaml:16: no step reads "host plgu vf of nic1"; nearest: host plug vf of <nic> [as <family>] [serial <serial>]',
    ],
    [
      'step without time',
      '+20ms   host',
      'host',
      'a.yaml:16: "host plug vf of nic1" does not say when: begin with +20ms (after the step before), =3s or ~5s (at most)',
    ],
    [
      'waiting for a deed',
      '+20ms',
      '~20ms',
      'a.yaml:16: "~20ms" waits until something holds, so only expect can follow, not "host plug vf of nic1"',
    ],
    ['time alone', '+20ms   host plug vf of nic1', '+20ms', 'a.yaml:16: "+20ms" says when, but not what'],
    [
      'wrong YAML',
      'user: [udev]',
      'user: [udev',
      'a.yaml:10: is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('%s', (_what, from, to, problem) => {
    expect(problems(change(from, to))).toContain(problem);
  });

  test('several at once', () => {
    const text = change('vf: mlx5 }', 'vf: mlx4 }').replace('offer nic1', 'offer nic9').replace('[udev]', '[x]');
    expect(problems(text)).toHaveLength(3);
  });

  test.each([
    ['nothing', ''],
    ['a word', 'hello'],
    ['a list', '- a\n- b\n'],
    ['garbage', '\u0001\u0002{{{{'],
  ])('%s is no scenario', (_what, text) => {
    expect(problems(text).join()).toMatch(/^a\.yaml:\d+: is no /);
  });

  test('an unknown --guest has no line to blame', () => {
    expect(problems(GOOD, { guest: 'linux-6.22' })).toEqual([
      'a.yaml: --guest: no guest is called "linux-6.22"; nearest: linux-6.12',
    ]);
  });

  test('no steps', () => {
    expect(problems(GOOD.replace(/steps: [\s\S]*always/, 'steps: |\n  # none\nalways'))).toEqual([
      'a.yaml:12: steps has no step',
    ]);
  });
});

test('the JSON Schema names every key of the header', () => {
  const schema = scenarioSchema() as { properties: object; required: readonly string[]; additionalProperties: boolean };
  expect(Object.keys(schema.properties)).toContain('nics');
  expect(schema.required).toEqual(['name', 'about', 'nics', 'steps']);
  expect(schema.additionalProperties).toBe(false);
});

describe('a file that somebody made to do harm', () => {
  const many = (n: number, line: (i: number) => string): string =>
    Array.from({ length: n }, (_, i) => line(i)).join('');

  test.each([
    [
      'aliases of aliases',
      `a: &a [x]\n${many(9, (i) => `k${i}: &k${i} [${many(9, () => `*${i === 0 ? 'a' : `k${i - 1}`},`)}]\n`)}`,
      ['a.yaml:1: is no scenario: its aliases (*name) repeat too much'],
    ],
    [
      'deep nesting',
      `name: ${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      ['a.yaml:1: is no YAML: it is nested too deeply'],
    ],
    ['a second document', `${GOOD}---\n${GOOD}`, ['a.yaml:19: a second YAML document begins here; a scenario is one']],
    [
      'a key that is a list',
      `? [a, b]\n: c\n${GOOD}`,
      [expect.stringMatching(/^a\.yaml:1: a scenario has no "\[ a, b \]"/)],
    ],
    [
      'a name with escapes',
      GOOD.replace('a VF arrives', '"\\e[31mred"'),
      ['a.yaml:2: name: must be one line, without control characters'],
    ],
    [
      'a step with escapes',
      GOOD.replace('host offer', 'host \u007foffer'),
      [expect.stringContaining('"host ?offer nic1"')],
    ],
  ])('%s', (_what, text, found) => {
    expect(problems(text)).toEqual(found);
  });

  test('very many keys, of which one stands twice, in little time', () => {
    expect(problems(`${many(100_000, (i) => `k${i}: 1\n`)}k7: 1\n`)).toEqual([
      'a.yaml:100001: the same key stands twice in one mapping',
    ]);
  });

  test('very many problems: the first ones', () => {
    const keys = problems(GOOD + many(50_000, (i) => `k${i}: 1\n`));
    const steps = problems(GOOD.replace('steps: |\n', `steps: |\n${many(50_000, (i) => `  +0ms dance ${i}\n`)}`));
    for (const found of [keys, steps]) {
      expect(found).toHaveLength(21);
      expect(found.at(-1)).toBe('a.yaml: and more of that kind; mend these first');
    }
  });

  test('a line that is very long is not all repeated', () => {
    expect(problems(GOOD.replace('host offer nic1', 'x'.repeat(1_000_000)))[0]?.length).toBeLessThan(800);
  });
});

test('a long header takes as long as it is, and not the square of it', () => {
  const cost = (rows: number): number => {
    const latency = Array.from({ length: rows }, (_, i) => `row${i}: 1ms`).join(', ');
    const nics = Array.from(
      { length: rows },
      (_, i) => `  n${i}: { mac: "00:0d:00:00:${hex(i >> 8)}:${hex(i & 255)}" }`,
    );
    const text = GOOD.replace('vf.probe: 2ms', latency).replace(/ {2}nic1: .*\n.*\n/, `${nics.join('\n')}\n`);
    const begun = process.cpuUsage();
    expect(problems(text)[0]).toMatch(/no latency row is called "row0"/);
    const { user, system } = process.cpuUsage(begun);
    return user + system;
  };
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  cost(1000);
  // Four times as much: a square would be 16.
  expect(cost(40_000) / cost(10_000)).toBeLessThan(9);
});
