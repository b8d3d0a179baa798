/** Of the net-device registry, and of what user mode makes of it. */
import { seconds } from '../../../src/base/time.ts';
import {
  address,
  flags,
  heard,
  joined,
  lease,
  listed,
  master,
  moved,
  newlink,
  registered,
  renamed,
  type Story,
  state,
  told,
  uevent,
  visible,
} from './told.ts';

const held = (references: number, since: number) =>
  told('netdev.held', { dev: 'nic1.vf', references, since, sinceStep: since });

export const REGISTRY_STORIES: Readonly<Record<string, Story>> = {
  'flagged-before-visible': {
    broken: [
      listed(),
      state('nic1.vf', 'post-init'),
      visible('nic1.vf', 'sysfs', 0x1002),
      uevent('nic1.vf', 0x1002),
      flags('nic1.vf', 0x1802, 'SLAVE', ''),
    ],
    found:
      'nic1.vf: its uevent at 0.004000 (step 4) with flags 0x1002; IFF_SLAVE came at 0.005000 (step 5); nic1 was listed before the VF raised POST_INIT (step 4)',
    held: [listed(), state('nic1.vf', 'post-init'), visible('nic1.vf', 'sysfs', 0x1802)],
  },
  'one-lease-per-mac': {
    broken: [lease('nic1'), lease('nic1.vf')],
    found: 'nic1.vf: it holds a lease of 00:0d:3a:12:34:56, and so does nic1 (step 1)',
    held: [lease('nic1'), lease('nic1', false), lease('nic1.vf')],
  },
  'stable-name': {
    broken: [
      ...registered('nic1.vf'),
      state('nic1.vf', 'unregistering'),
      ...registered('nic1.vf'),
      renamed('nic1.vf', 'x1'),
    ],
    found: 'nic1.vf: it ends as x1, and was eth3 before (step 3)',
    held: [...registered('nic1.vf'), state('nic1.vf', 'unregistering'), ...registered('nic1.vf')],
  },
  'slave-means-master': {
    broken: [...registered('nic1.vf'), flags('nic1.vf', 0x802)],
    found: 'nic1.vf: it has IFF_SLAVE but no master (step 2)',
    held: [...registered('nic1.vf'), flags('nic1.vf', 0x802), master('nic1.vf', 'nic1')],
  },
  'no-ipv6-on-vf': {
    broken: [...registered('nic1.vf'), flags('nic1.vf', 0x1802), flags('nic1.vf', 0x1803), address('nic1.vf')],
    found: 'nic1.vf: it gets the address fe80::1 (step 3)',
    // One that was there before the mark goes when the device is closed.
    held: [...registered('nic1.vf'), address('nic1.vf'), flags('nic1.vf', 0x1803), address('nic1.vf', false)],
  },
  'register-order': {
    broken: [state('nic1', 'post-init'), visible('nic1', 'sysfs', 0), visible('nic1', 'ioctl', 0)],
    found: 'nic1: it shows itself by ioctl before uevent (step 1)',
    held: [
      state('nic1', 'post-init'),
      visible('nic1', 'sysfs', 0),
      uevent('nic1', 0),
      visible('nic1', 'ioctl', 0),
      visible('nic1', 'rtnetlink', 0),
    ],
  },
  'links-only-while-registered': {
    broken: [state('nic1', 'post-init'), newlink('nic1')],
    found: 'nic1: RTM_NEWLINK while it is post-init (step 1)',
    held: [...registered('nic1'), newlink('nic1'), state('nic1', 'unregistering'), newlink('nic1', 'RTM_DELLINK')],
  },
  'listeners-hear-in-turn': {
    broken: [heard('UP'), heard('DOWN')],
    found: 'nic1.vf: hv_netvsc hears NETDEV_DOWN after NETDEV_UP (step 1)',
    held: [
      ...[heard('REGISTER'), heard('UP'), heard('GOING_DOWN'), heard('DOWN'), heard('UNREGISTER'), heard('UNREGISTER')],
      ...[heard('REGISTER'), heard('UP')],
    ],
  },
  'references-dropped': {
    broken: [seconds(10) / 1e6, held(1, 0), seconds(10) / 1e6, held(1, 0)],
    found: 'nic1.vf: it is still referred to after 10 s (1 reference) (step 0)',
    held: [...registered('nic1.vf'), state('nic1.vf', 'unregistered')],
  },
  'names-unique': {
    broken: [visible('nic1', 'ioctl', 0, 'eth0'), visible('nic2.vf', 'ioctl', 0, 'eth1'), renamed('nic2.vf', 'eth0')],
    found: 'nic2.vf: eth0 is the name of nic1 (step 1)',
    // The same name and index in another namespace are other ones.
    held: [
      visible('nic1', 'ioctl', 0, 'eth0', 2),
      moved('nic1', 'blue', 'eth0', 2),
      visible('nic2', 'ioctl', 0, 'eth0', 2),
      renamed('nic1', 'net0'),
    ],
  },
  'same-namespace': {
    broken: [...registered('nic1'), ...registered('nic1.vf'), joined('nic1.vf'), moved('nic1', 'blue')],
    found: 'nic1.vf: it is in init_net, and nic1 is in blue (step 6)',
    held: [...registered('nic1.vf'), joined('nic1.vf'), moved('nic1', 'blue'), moved('nic1.vf', 'blue')],
  },
  'uevent-names-device': {
    broken: [state('nic1', 'post-init'), moved('nic1', 'blue', 'eth5'), uevent('nic1', 0, 'eth2')],
    found: 'nic1: uevent add calls it eth2; it is eth5 (step 2)',
    held: [
      state('nic1', 'post-init'),
      uevent('nic1', 0, 'eth2'),
      uevent('nic1', 0, 'net0', 'move'),
      renamed('nic1', 'net0'),
      uevent('nic1', 0, 'net0', 'remove'),
    ],
  },
  'no-panic': {
    broken: [told('panic', { dev: 'nic1', what: 'BUG' })],
    found: 'nic1: BUG (step 1)',
    held: [told('log', { level: 'err', dev: 'nic1', text: 'a line that is no panic' })],
  },
};
