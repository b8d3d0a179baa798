import { expect, test } from 'vitest';
import { type Stretch, stretchesOf, struckSteps } from '../../../src/vm/explore/stretch.ts';
import { textScenario } from '../../support/text-scenario.ts';

const stretches = (...steps: readonly string[]): readonly Stretch[] => stretchesOf(textScenario({ steps }));

const names = (all: readonly Stretch[]): readonly string[] =>
  all.map(({ into, action }) => `${into.text} | ${action.text}`);

test('each action of the host strikes into the step before it, expectations aside', () => {
  const all = stretches(
    '+0ms host offer nic1',
    '~5s expect nic1 is present',
    '+0ms guest up nic1',
    '+0ms host plug vf of nic1',
    '~5s expect datapath of nic1 is vf',
    '+1s host revoke vf of nic1',
    '+5s expect nic1.vf is absent',
  );
  expect(names(all)).toEqual(['guest up nic1 | host plug vf of nic1', 'host plug vf of nic1 | host revoke vf of nic1']);
  const [, revoke] = all;
  expect(revoke?.before.map(({ text }) => text)).toEqual([
    'host offer nic1',
    'expect nic1 is present',
    'guest up nic1',
  ]);
  expect(struckSteps(revoke as Stretch).map(({ text, when }) => [text, when.at])).toEqual([
    ['host plug vf of nic1', 'after'],
    ['host revoke vf of nic1', 'after'],
    ['expect nic1.vf is absent', 'after'],
  ]);
});

test('a mark leaves those that begin before it, unless there are no others', () => {
  const head = ['+0ms host offer nic1', '+20ms from here on, all orders', '+0ms host plug vf of nic1'];
  expect(names(stretches(...head))).toEqual(['host offer nic1 | host plug vf of nic1']);
  expect(names(stretches(...head, '+1s host revoke vf of nic1'))).toEqual([
    'host plug vf of nic1 | host revoke vf of nic1',
  ]);
});

test('traffic is begun in each run, and what is only set up does not strike', () => {
  const [plug, ...others] = stretches(
    '+0ms host offer nic1',
    '+0ms flow echo on nic1 every 10ms',
    '+0ms host drop sendVfAssociation of nic1',
    '+0ms host plug vf of nic1',
    '+0ms flow stop echo-nic1',
  );
  expect(others).toEqual([]);
  expect(names([plug as Stretch])).toEqual(['host offer nic1 | host plug vf of nic1']);
  expect(plug?.before).toEqual([]);
  expect(plug?.flows.map(({ text }) => text)).toEqual(['flow echo on nic1 every 10ms']);
});

test('nobody asks behind the strike what came of a command before it', () => {
  const [revoke] = stretches(
    '+0ms host offer nic1',
    '+0ms guest try up nic1',
    '+0ms expect no errno',
    '+1s host revoke vf of nic1',
    '+0ms expect no errno',
    '+0ms guest try down nic1',
    '+0ms expect no errno',
  );
  expect(revoke?.into.text).toBe('guest try up nic1');
  expect(struckSteps(revoke as Stretch).map(({ text }) => text)).toEqual([
    'guest try up nic1',
    'host revoke vf of nic1',
    'guest try down nic1',
    'expect no errno',
  ]);
});

test('the first step has nothing to strike into', () => {
  expect(stretches('+0ms host offer nic1', '~5s expect nic1 is present')).toEqual([]);
});
