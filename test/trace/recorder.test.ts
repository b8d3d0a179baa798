import { expect, test } from 'vitest';
import type { EventBody } from '../../src/trace/event.ts';
import { keep, Recorder } from '../../src/trace/recorder.ts';

const link = (up: boolean): EventBody => ({ kind: 'vf.link', dev: 'nic1.vf', up });
const loaded: EventBody = { kind: 'module', module: 'hv_netvsc', loaded: true };

test('who asks for some kinds hears of no others, and behind those who hear of all', () => {
  const trace = new Recorder();
  const heard: string[] = [];
  trace.listen(({ kind }) => heard.push(`first ${kind}`));
  trace.listen(({ kind }) => heard.push(`link ${kind}`), ['vf.link']);
  trace.listen(({ kind }) => heard.push(`last ${kind}`));
  trace.emit(link(true));
  trace.emit({ ...loaded });
  expect(heard).toEqual(['first vf.link', 'last vf.link', 'link vf.link', 'first module', 'last module']);
});

test('what nobody hears of is counted all the same', () => {
  const trace = new Recorder();
  trace.emit(link(true));
  trace.listen(() => {}, ['module']);
  trace.emit(link(false));
  expect([trace.count, trace.hears('vf.link'), trace.hears('module')]).toEqual([2, false, true]);
});

test('who comes later hears of what comes later', () => {
  const trace = new Recorder();
  trace.emit(link(true));
  const events = keep(trace);
  trace.stampedBy(() => ({ time: 7, step: 3, context: 'tester' }));
  trace.emit(link(false));
  expect(events).toEqual([{ kind: 'vf.link', dev: 'nic1.vf', up: false, time: 7, step: 3, context: 'tester' }]);
});
