/** Of channels, PCI functions, and of waiting. */
import { seconds } from '../../../src/base/time.ts';
import { bound, hung, registered, type Story, state, told, vmbus, vpci } from './told.ts';

const alive = (yes: boolean) => told('vf.alive', { dev: 'nic1.vf', alive: yes });
const refused = (what: string) => told('host.refused', { dev: 'nic1', what, why: 'nothing waits for 7' });
const malformed = (from: 'host' | 'guest') =>
  told('wire.malformed', { from, protocol: 'nvsp', problem: 'too short', dev: 'nic1', detail: '' });
const rtnlHeld = (held: number) => told('rtnl.held', { held, since: 0, sinceStep: 4 });

export const BUS_STORIES: Readonly<Record<string, Story>> = {
  'eject-complete-once': {
    broken: [...registered('nic1.vf'), vpci('host', 'eject'), vpci('guest', 'ejectionComplete')],
    found: 'nic1.vf: it came while the device is registered (step 3)',
    held: [
      ...registered('nic1.vf'),
      vpci('host', 'eject'),
      state('nic1.vf', 'unregistered'),
      vpci('guest', 'ejectionComplete'),
    ],
  },
  'd0-alternates': {
    broken: [vpci('guest', 'queryProtocolVersion'), vpci('guest', 'busD0Entry'), vpci('guest', 'busD0Entry')],
    found: 'nic1.vf: it enters D0 twice (step 2)',
    // A refused entry is taken back and tried once more; the next opening begins anew.
    held: [
      ...[vpci('guest', 'busD0Entry'), vpci('guest', 'busD0Exit'), vpci('guest', 'busD0Entry')],
      ...[vpci('guest', 'queryProtocolVersion'), vpci('guest', 'busD0Entry')],
    ],
  },
  'no-ghost-device': {
    broken: [alive(true), alive(false), ...registered('nic1.vf')],
    found: 'nic1.vf: it is registered, and its function is gone (step 2)',
    held: [alive(true), ...registered('nic1.vf'), alive(false), state('nic1.vf', 'unregistered')],
  },
  'slot-is-serial': {
    broken: [told('pci.slot-taken', { dev: 'nic2.vf', wanted: '2', slot: '2-1' })],
    found: 'nic2.vf: its slot is called 2-1, for another one is called 2 (step 1)',
    held: [alive(true), ...registered('nic1.vf')],
  },
  'released-once': {
    broken: [
      vmbus('host', 'offerChannel'),
      vmbus('host', 'rescindChannelOffer'),
      bound('hv_pci'),
      vmbus('guest', 'relidReleased'),
    ],
    found: 'nic1.vf: its channel is released while hv_pci has it (step 3)',
    held: [
      ...[vmbus('host', 'offerChannel'), bound('hv_pci'), vmbus('host', 'rescindChannelOffer')],
      ...[vmbus('host', 'rescindChannelOffer'), bound('hv_pci', false), vmbus('guest', 'relidReleased')],
      ...[vmbus('host', 'offerChannel')],
    ],
  },
  'completions-asked-for': {
    broken: [refused('completion')],
    found: 'nic1: it completes what it was not sent (step 1)',
    held: [refused('query')],
  },
  'messages-well-formed': {
    broken: [malformed('guest')],
    found: 'nic1: it sends a nvsp message that is none: too short (step 1)',
    held: [malformed('host')],
  },
  'nothing-unread': {
    broken: [told('ring.unread', { dev: 'nic1', reader: 'guest' })],
    found: 'nic1: its ring holds something that the guest was not told of (step 1)',
    held: [vpci('host', 'eject')],
  },
  'host-waits-end': {
    broken: [hung('wait', "nic1 host's answer to init")],
    found: "worker: it waits and waits: wait nic1 host's answer to init (step 7)",
    // Somebody else has what these wait for, and is told of in his own right.
    held: [hung('lock', 'rtnl', 'boot'), hung('drained', 'nic1.vf_takeover', 'nic1.vf_takeover')],
  },
  'rtnl-held-briefly': {
    broken: [rtnlHeld(seconds(120))],
    found: 'test: it has held the RTNL for 120 s (step 4)',
    held: [rtnlHeld(seconds(120) - 1), hung('lock', 'nic1.lock', 'boot'), hung('wait', 'nic1.vf_add')],
  },
};
