/**
 * A stand-in for the observers of a scenario, as shell scripts in the guest: it brings every NIC up that is no slave and
 * lets busybox's DHCP client ask for an address there. It hears of links by rtnetlink (`ip monitor`), as managers do, and
 * says what it does in the kernel's log (/dev/kmsg), so that it has its place among what the kernel says.
 * What this leaves out: udev with its rules and names, and cloud-init; that a lease is given up with the carrier.
 */
import type { EventBody } from '../../trace/event.ts';
import { FOLDER, writeScript } from './guest-files.ts';
import { leaseFile } from './interfaces.ts';

/** Begins the lines of the stand-in in the kernel's log. */
const MARK = 'netvsim-manager:';
const [MANAGER, CLIENT, NEWS, IDLE] = [
  `${FOLDER}/manager`,
  `${FOLDER}/dhcp`,
  `${FOLDER}/manager-news`,
  `${FOLDER}/manager-idle`,
];

/**
 * What has no device behind it is no NIC. IFF_UP and IFF_SLAVE are 0x1 and 0x800 (uapi/linux/if.h). It looks at what
 * there is only when it hears of what comes: /proc/net/netlink shows sockets with protocol (0: NETLINK_ROUTE) and groups
 * (1: RTMGRP_LINK).
 */
const MANAGE = `#!/bin/sh
say() { echo "<6>${MARK} $*" >/dev/kmsg; }
consider() {
  d=/sys/class/net/$1
  [ -e $d/device ] && read flags <$d/flags && read i <$d/ifindex || return 0
  [ -e ${FOLDER}/managed-$i ] && return 0
  if [ $((flags & 0x800)) != 0 ]; then
    [ -e ${FOLDER}/slave-$i ] || say unmanaged $1
    : >${FOLDER}/slave-$i
    return 0
  fi
  : >${FOLDER}/managed-$i
  say managed $1
  [ $((flags & 1)) != 0 ] || ip link set dev $1 up
  udhcpc -i $1 -f -q -t 3 -T 1 -A 1 -s ${CLIENT} &
}
forget() {
  [ -e ${leaseFile('$1')} ] && say released $2
  rm -f ${FOLDER}/managed-$1 ${FOLDER}/slave-$1 ${leaseFile('$1')}
}
listens() {
  while read -r socket protocol id groups rest; do
    [ "$protocol $groups" = "0 00000001" ] && return 0
  done </proc/net/netlink
  return 1
}
ip -o monitor link | {
  until listens; do read -t 0.002 x <>${IDLE}; done
  echo >${NEWS}
  for d in /sys/class/net/*; do consider \${d##*/}; done
  while read -r first second third rest; do
    if [ "$first" = Deleted ]; then name=\${third%:}; forget \${second%:} \${name%@*}
    else name=\${second%:}; consider \${name%@*}; fi
  done
}
`;

const LEASED = `#!/bin/sh
[ "$1" = bound ] || exit 0
read i </sys/class/net/$interface/ifindex
read address </sys/class/net/$interface/address
ip addr add $ip/$mask dev $interface
echo $ip >${leaseFile('$i')}
echo "<6>${MARK} leased $interface $address $ip" >/dev/kmsg
`;

export const INSTALL_MANAGER: readonly string[] = [
  ...writeScript(CLIENT, LEASED),
  ...writeScript(MANAGER, MANAGE),
  `mkfifo ${NEWS} ${IDLE}`,
];

/** Starts it, and comes back when it hears of links. */
export const START_MANAGER = `exec 9<>${NEWS}; sh ${MANAGER} >/dev/null 2>&1 9>&- & read x <&9`;

/** What a line of the kernel's log says, when it is the stand-in's. */
export function managerSaid(text: string, devOf: (ifname: string) => string): EventBody | undefined {
  if (!text.startsWith(MARK)) return undefined;
  const [what, ifname = '', mac = '', address = ''] = text.slice(MARK.length).trim().split(' ');
  const dev = devOf(ifname);
  if (what === 'leased' || what === 'released') return { kind: 'lease', dev, mac, address, held: what === 'leased' };
  if (what !== 'managed' && what !== 'unmanaged') return undefined;
  const why = what === 'unmanaged' ? 'it is a slave' : 'a NIC that is no slave';
  return { kind: 'manager', dev, ifname, decision: what, why };
}
