/**
 * Names of netdevice events by number. Source: linux 6.1, include/linux/netdevice.h, enum netdev_cmd; 6.12 has
 * NETDEV_PRE_UNINIT as number 18, and all behind it one higher. Kernels between the two were not read.
 */

const NAMES = [
  'UP',
  'DOWN',
  'REBOOT',
  'CHANGE',
  'REGISTER',
  'UNREGISTER',
  'CHANGEMTU',
  'CHANGEADDR',
  'PRE_CHANGEADDR',
  'GOING_DOWN',
  'CHANGENAME',
  'FEAT_CHANGE',
  'BONDING_FAILOVER',
  'PRE_UP',
  'PRE_TYPE_CHANGE',
  'POST_TYPE_CHANGE',
  'POST_INIT',
  'RELEASE',
  'NOTIFY_PEERS',
  'JOIN',
  'CHANGEUPPER',
  'RESEND_IGMP',
  'PRECHANGEMTU',
  'CHANGEINFODATA',
  'BONDING_INFO',
  'PRECHANGEUPPER',
  'CHANGELOWERSTATE',
];

const PRE_UNINIT = 18;
/** The first kernel that was read and has it. */
const WITH_PRE_UNINIT = [6, 12] as const;

/** `NETDEV_UP` for 1. @param release as `uname -r` says it. */
export function netdevEvent(number: number, release: string): string {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  const isLater = major > WITH_PRE_UNINIT[0] || (major === WITH_PRE_UNINIT[0] && minor >= WITH_PRE_UNINIT[1]);
  if (isLater && number === PRE_UNINIT) return 'NETDEV_PRE_UNINIT';
  const name = NAMES[(isLater && number > PRE_UNINIT ? number - 1 : number) - 1];
  return name === undefined ? `netdev_cmd ${number}` : `NETDEV_${name}`;
}
