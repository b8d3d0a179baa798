/**
 * The events with which the answer to a question can change. Between two of them nobody need ask again; and a search
 * knows by them which steps an expectation depends on.
 */
import type { EventKind } from '../trace/event.ts';
import type { Question } from './stage.ts';

const DEVICE: readonly EventKind[] = ['netdev.state', 'netdev.visible', 'netdev.flags', 'rtnetlink', 'ifnet.state'];

export const TOLD_BY: Readonly<Record<Question['ask'], readonly EventKind[]>> = {
  datapath: [...DEVICE, 'guest.datapath', 'host.datapath', 'netdev.carrier', 'netvsc.vf', 'netvsc.listed'],
  present: DEVICE,
  up: DEVICE,
  flag: DEVICE,
  master: [...DEVICE, 'netdev.master', 'netvsc.vf'],
  ifname: [...DEVICE, 'netdev.renamed', 'netdev.netns'],
  netns: [...DEVICE, 'netdev.netns'],
  mtu: [...DEVICE, 'netdev.mtu'],
  lease: ['lease'],
  log: ['log'],
  'cloud-init': ['cloud-init'],
  'lost-at-most': ['flow', 'frame.lost'],
  'servicing-done': ['servicing.phase'],
};

/** All of them, each once. */
export const TELLING: readonly EventKind[] = [...new Set(Object.values(TOLD_BY).flat())];
