import { describe, expect, test } from 'vitest';
import { PLACEHOLDERS } from '../../src/scenario/placeholder.ts';
import { readBody, stepsFrom } from '../../src/scenario/step.ts';
import { exampleOf, match, splitWords } from '../../src/scenario/usage.ts';
import { VERBS } from '../../src/scenario/verbs.ts';
import type { Names } from '../../src/scenario/vocabulary.ts';
import { NAMES } from '../support/vocabulary.ts';

const names: Names = { ...NAMES, flows: [...NAMES.flows], lastGuestLine: 'try' };
const example = (verb: (typeof VERBS)[number], full: boolean): string =>
  exampleOf(verb.elements, (name) => PLACEHOLDERS[name].example, full);

describe.each(VERBS.map((verb) => [verb.usage, verb] as const))('%s', (_usage, verb) => {
  test.each([false, true])('its example is read by this verb and no other (optional parts: %s)', (full) => {
    const line = example(verb, full);
    const words = splitWords(line) ?? [];
    expect(VERBS.filter((other) => match(other.elements, words) !== undefined)).toEqual([verb]);
    const known = line.startsWith('flow e') ? { ...names, flows: [] } : names;
    expect(readBody(line, known)).not.toHaveProperty('problem');
  });

  test('it has a meaning', () => {
    expect(verb.meaning).not.toBe('');
  });
});

describe('a line becomes plain data', () => {
  const ofMessage = (fault: string, message: string) =>
    ({ fault, message, from: 'host', dev: 'nic1', times: 1, may: false }) as const;

  test.each([
    ['host plug vf of nic1', { kind: 'host', action: { do: 'plug-vf', nic: 'nic1' } }],
    [
      'host plug vf of nic2 serial 7 as mana',
      { kind: 'host', action: { do: 'plug-vf', nic: 'nic2', family: 'mana', serial: 7 } },
    ],
    [
      'host revoke vf of nic1 by surprise',
      { kind: 'host', action: { do: 'revoke-vf', nic: 'nic1', order: 'surprise' } },
    ],
    ['host link of vf of nic1 is down', { kind: 'host', action: { do: 'vf-link', nic: 'nic1', up: false } }],
    [
      'host update firmware gap 30s serial different times 2 by assoc-first',
      {
        kind: 'host',
        action: { do: 'update-firmware', order: 'assoc-first', gap: 30e9, times: 2, serial: 'different' },
      },
    ],
    ['guest mtu nic1.vf 9000', { kind: 'guest', command: { do: 'mtu', dev: 'nic1.vf', mtu: 9000 } }],
    [
      'flow stream on nic2 every 5ms of 1400 bytes called bulk',
      { kind: 'start-flow', flow: { name: 'bulk', kind: 'stream', nic: 'nic2', every: 5e6, bytes: 1400 } },
    ],
    [
      'expect nic1.vf has no master',
      { kind: 'expect', question: { ask: 'master', dev: 'nic1.vf', master: undefined } },
    ],
    ['expect no log "a # b"', { kind: 'expect', question: { ask: 'log', text: 'a # b', seen: false } }],
    [
      'expect nic1.vf has no flag SLAVE',
      { kind: 'expect', question: { ask: 'flag', dev: 'nic1.vf', flag: 'SLAVE', set: false } },
    ],
    [
      'host drop sendVfAssociation of nic1',
      { kind: 'host', action: { do: 'arm-fault', nic: 'nic1', fault: ofMessage('drop', 'sendVfAssociation') } },
    ],
    [
      'host may reorder switchDataPath from guest of nic1 times 3',
      {
        kind: 'host',
        action: {
          do: 'arm-fault',
          nic: 'nic1',
          fault: { ...ofMessage('reorder', 'switchDataPath'), from: 'guest', times: 3, may: true },
        },
      },
    ],
    [
      'host delay busD0EntryComplete of nic1.vf by 20ms',
      {
        kind: 'host',
        action: {
          do: 'arm-fault',
          nic: 'nic1',
          fault: { ...ofMessage('delay', 'busD0EntryComplete'), dev: 'nic1.vf', by: 20e6 },
        },
      },
    ],
    [
      'host may fail init of nic2 with protocolUnsupported times 2',
      {
        kind: 'host',
        action: {
          do: 'arm-fault',
          nic: 'nic2',
          fault: { fault: 'fail', message: 'init', dev: 'nic2', status: 7, times: 2, may: true },
        },
      },
    ],
    [
      'host fail query of nic1',
      {
        kind: 'host',
        action: {
          do: 'arm-fault',
          nic: 'nic1',
          fault: { fault: 'fail', message: 'query', dev: 'nic1', status: 0xc0000001, times: 1, may: false },
        },
      },
    ],
    [
      'host fail switchDataPath of nic1',
      {
        kind: 'host',
        action: {
          do: 'arm-fault',
          nic: 'nic1',
          fault: { fault: 'fail', message: 'switchDataPath', dev: 'nic1', status: undefined, times: 1, may: false },
        },
      },
    ],
    [
      'host may fall silent to nic1.vf',
      {
        kind: 'host',
        action: { do: 'arm-fault', nic: 'nic1', fault: { fault: 'silence', dev: 'nic1.vf', may: true } },
      },
    ],
    ['host answers nic1.vf again', { kind: 'host', action: { do: 'answer-again', nic: 'nic1', dev: 'nic1.vf' } }],
    [
      'guest fail ndo_open of nic1.vf with EBUSY times 2',
      {
        kind: 'fail-call',
        fault: { call: 'ndo_open', dev: 'nic1.vf', errno: 'EBUSY', times: 2, may: false },
      },
    ],
    ['expect errno ENOSPC', { kind: 'expect-errno', errno: 'ENOSPC' }],
    ['expect no errno', { kind: 'expect-errno', errno: undefined }],
    ['expect nic1 is up', { kind: 'expect', question: { ask: 'up', dev: 'nic1', up: true } }],
  ])('%s', (line, body) => {
    expect(readBody(line, names)).toEqual(body);
  });
});

describe('an errno is asked of a line that can be refused', () => {
  test.each([
    [undefined, 'no line above it does anything in the guest'],
    ['must', 'the last line that does anything in the guest has no "try": write "guest try ..." there'],
  ] as const)('the one above: %s', (lastGuestLine, problem) => {
    const { lastGuestLine: _, ...none } = names;
    const known = lastGuestLine === undefined ? none : { ...none, lastGuestLine };
    for (const line of ['expect errno EBUSY', 'expect no errno']) expect(readBody(line, known)).toEqual({ problem });
  });

  test('the line counts only where it is carried out', () => {
    const on = (is: 'linux' | 'freebsd'): Names => ({ ...NAMES, guest: { is, writtenFor: 'linux' } });
    const lines = ['+0ms guest try up nic1', '+0ms on linux guest up nic1', '+0ms expect no errno'];
    expect(stepsFrom(lines, on('freebsd'))).toHaveLength(3);
    expect(stepsFrom(lines, on('linux'))).toMatchObject({ line: 3 });
  });
});

describe('a line that does not read says what is near', () => {
  test.each([
    [
      'host plgu vf of nic1',
      'no step reads "host plgu vf of nic1"; nearest: host plug vf of <nic> [as <family>] [serial <serial>]',
    ],
    ['expect nic1 is uo', 'no step reads "expect nic1 is uo"; nearest: expect <dev> is present|absent|up|down'],
    [`guest up nic1 ${'x'.repeat(9_000_000)}`, `no step has 9000014 characters: guest up nic1 ${'x'.repeat(46)} ...`],
    ['guest up nic3', 'no device is called "nic3"; nearest: nic1'],
    ['host plug vf of nic2', 'nic2 has no VF model: write "vf: mlx5" (or another) at the NIC, or "as <family>" here'],
    ['host plug vf of nic1 as mlx4', 'no VF model is called "mlx4"; nearest: mlx5'],
    ['guest mtu nic1 12', '"12" is not bytes: a whole number from 68 to 65535'],
    [
      'host update firmware gap 20sec',
      '"20sec" is no span of time such as 20ms, 1.5s or 2min (at most 30 days); nearest: s',
    ],
    ['guest rename nic1 to a/b', '"a/b" is no interface name'],
    [
      'guest rename nic1 to sixteen-letters-',
      '"sixteen-letters-" has more than 15 characters: write "guest try" for a refusal',
    ],
    ['expect nic1 is named sixteen-letters-', '"sixteen-letters-" is no interface name (1 to 15 characters)'],
    ['expect errno ENOSPACE', 'no error number is called "ENOSPACE"; nearest: ENOSPC'],
    ['flow stop echo', 'no flow is called "echo"; there is echo-nic1'],
    ['flow echo on nic1 every 1s', 'a flow called echo-nic1 was started before: give this one a name'],
    ['expect cloud-init 19.3 to ok', 'no cloud-init under user: is called "19.3"; there is 22.4'],
    ['expect cloud-init 22.4 to okay', 'no outcome is called "okay"; nearest: ok'],
    ['expect log "unclosed', 'a quote is not closed: expect log "unclosed'],
    ['host drop sendVfAsociation of nic1', 'no message is called "sendVfAsociation"; nearest: sendVfAssociation'],
    ['host drop eject of nic1', 'eject is no message of nic1, but of nic1.vf'],
    ['host drop eject of nic3', 'no device is called "nic3"; nearest: nic1'],
    ['host drop eject of nic2.vf', 'nic2 has no VF model: write "vf: mlx5" (or another) at the NIC'],
    ['host drop eject from guest of nic1.vf', 'the guest does not send eject'],
    ['host drop eject of nic1.vf times 0', '"0" is not how often: a whole number from 1 to 1000000'],
    ['host drop switchDataPath of nic1', 'both send switchDataPath: write "from host" or "from guest" behind it'],
    ['host fail sendSendBufer of nic1', 'no request is called "sendSendBufer"; nearest: sendSendBuffer'],
    ['host fail busD0Entry of nic1', 'busD0Entry is no request of nic1, but of nic1.vf'],
    ['host fail busD0Entry of nic1.vf with busi', 'no status is called "busi"; nearest: busy'],
    [
      'host fail busD0Entry of nic1.vf with busy',
      'an answer to busD0Entry cannot say busy; there is unsuccessful, revisionMismatch',
    ],
    [
      'host fail switchDataPath of nic1 with busy',
      'the answer to switchDataPath is empty, so that the guest cannot tell: leave "with busy" away',
    ],
    ['host fall silent to nic2.vf', 'nic2 has no VF model: write "vf: mlx5" (or another) at the NIC'],
    ['guest fail ndo_opn of nic1 with EBUSY', 'no call is called "ndo_opn"; nearest: ndo_open'],
    ['guest fail ndo_open of nic1 with EBUZY', 'no error number is called "EBUZY"; nearest: EBUSY'],
    ['guest fail ndo_open of nic2.vf with EBUSY', 'nic2 has no VF model: write "vf: mlx5" (or another) at the NIC'],
    ['guest fail pci_create_slot of nic1 with ENOMEM', 'pci_create_slot is called for VFs only, and nic1 is none'],
    [
      'guest fail netvsc_switch_datapath of nic1.vf with ENODEV',
      'netvsc_switch_datapath is called for synthetic NICs only, and nic1.vf is none',
    ],
    [
      'host revoke vf of nic1 by force',
      'no revoke order is called "force"; there is eject-first, assoc-first, surprise',
    ],
  ])('%s', (line, problem) => {
    expect(readBody(line, names)).toEqual({ problem });
  });
});
