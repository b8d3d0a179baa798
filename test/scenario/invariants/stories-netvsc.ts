/** Of hv_netvsc, its VF, and the data path. */
import {
  answers,
  asks,
  associates,
  flags,
  guestPath,
  hostPath,
  joined,
  listed,
  MAC,
  master,
  OTHER,
  registered,
  type Story,
  state,
  told,
} from './told.ts';

const mtu = (dev: string, value: number) => told('netdev.mtu', { dev, mtu: value });
const unloaded = told('module', { module: 'hv_netvsc', loaded: false });

export const NETVSC_STORIES: Readonly<Record<string, Story>> = {
  'synthetic-first': {
    broken: [associates(), state('nic1', 'post-init'), ...registered('nic1.vf')],
    found: 'nic1.vf: it is registered while nic1 is post-init (step 1)',
    held: [...registered('nic1'), associates(), ...registered('nic1.vf')],
  },
  'joined-eventually': {
    broken: [listed(), ...registered('nic1'), ...registered('nic1.vf')],
    found: 'nic1.vf: it is registered and never joined nic1, which has its MAC and no VF (step 5)',
    held: [listed(), ...registered('nic1'), ...registered('nic1.vf'), joined('nic1.vf')],
  },
  pairing: {
    broken: [listed(), ...registered('nic1'), ...registered('nic1.vf', OTHER), joined('nic1.vf')],
    found: 'nic1.vf: its MAC is 00:0d:3a:12:34:57, that of nic1 is 00:0d:3a:12:34:56 (step 5)',
    held: [listed(), ...registered('nic1.vf'), joined('nic1.vf'), joined('nic1.vf', false), joined('nic1.vf')],
  },
  'only-vfs-join': {
    broken: [master('nic2', 'nic1')],
    found: 'nic2: it is no VF and gets the master nic1 (step 1)',
    held: [master('nic1.vf', 'nic1'), master('nic1.vf', ''), master('nic2', '')],
  },
  'same-mtu': {
    broken: [...registered('nic1'), mtu('nic1', 9000), ...registered('nic1.vf'), joined('nic1.vf')],
    found: 'nic1.vf: its MTU is 1500, that of nic1 is 9000 (step 6)',
    held: [mtu('nic1.vf', 9000), joined('nic1.vf'), mtu('nic1.vf', 1400), mtu('nic1', 1400)],
  },
  'path-agrees': {
    broken: [hostPath('vf')],
    found: 'nic1: the guest sends by synthetic, the host by vf (step 1)',
    held: [hostPath('vf'), guestPath('vf')],
  },
  'association-before-switch': {
    broken: [associates(0), asks('vf')],
    found: 'nic1: it asks for a VF that the host has not told it of (step 2)',
    // A request that crosses the message which takes the VF away.
    held: [associates(), associates(0), asks('vf')],
  },
  'gate-after-answer': {
    broken: [asks('vf'), guestPath('vf'), answers],
    found: 'nic1: it sends by the VF before the host has answered (step 1)',
    held: [asks('vf'), answers, guestPath('vf'), guestPath('synthetic'), asks('synthetic')],
  },
  'frames-behind-gate': {
    broken: [told('netvsc.stray', { nic: 'nic1', dev: 'nic1.vf' })],
    found: 'nic1.vf: a frame goes by it while the data path of nic1 is synthetic (step 1)',
    held: [told('frame.lost', { flow: 'echo', direction: 'tx', id: 1, path: 'vf', where: 'VF filter' })],
  },
  'vf-path-needs-running-vf': {
    broken: [joined('nic1.vf'), flags('nic1.vf', 0x1803), guestPath('vf'), flags('nic1.vf', 0x1802, '', 'UP')],
    found: 'nic1.vf: it went down while the guest sends by it (step 3)',
    held: [
      ...[joined('nic1.vf'), flags('nic1.vf', 0x1803), guestPath('vf'), guestPath('synthetic')],
      ...[flags('nic1.vf', 0x1802, '', 'UP'), flags('nic1.vf', 0x1803), guestPath('vf')],
      // Its NIC is taken away under it: nobody sends by it any more.
      ...[joined('nic1.vf', false), listed('nic1', MAC, false), flags('nic1.vf', 0x1802, '', 'UP')],
    ],
  },
  'stop-on-synthetic': {
    broken: [joined('nic1.vf'), hostPath('vf'), flags('nic1.vf', 0x802, '', 'UP')],
    found: 'nic1.vf: it went down while the host sends by it (step 2)',
    held: [joined('nic1.vf'), hostPath('vf'), hostPath('synthetic'), flags('nic1.vf', 2, '', 'UP|RUNNING')],
  },
  'one-switch-in-flight': {
    broken: [asks('vf'), asks('synthetic')],
    found: 'nic1: a second SWITCH_DATA_PATH is on its way (step 1)',
    held: [asks('vf'), answers, asks('synthetic')],
  },
  'unload-leaves-synthetic': {
    broken: [hostPath('vf'), unloaded],
    found: 'nic1: its driver is gone and the host sends by the VF (step 1)',
    held: [hostPath('vf'), hostPath('synthetic'), unloaded, hostPath('vf')],
  },
};
