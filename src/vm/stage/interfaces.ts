/**
 * The network interfaces of the real guest, as sysfs shows them: one command, read out by the shell itself (a program that
 * is started costs a million instructions), and without the RTNL, so that it answers while somebody holds that.
 * Source: linux net/core/net-sysfs.c (flags, address, ifindex and mtu are read without the RTNL; `master` is a link),
 * drivers/pci/pci-sysfs.c (class) and drivers/hv/vmbus_drv.c (class_id).
 */
import { FOLDER, writeScript } from './guest-files.ts';

export interface GuestInterface {
  readonly name: string;
  /** Lower case, with colons. */
  readonly mac: string;
  readonly flags: number;
  readonly ifindex: number;
  readonly mtu: number;
  /** The index of its master. */
  readonly master: number | undefined;
  /** What it hangs on: `vmbus` for a synthetic NIC, `pci` for a VF. */
  readonly bus: string;
  /** The address that a DHCP client got there. */
  readonly lease: string | undefined;
  /** `init_net`, or the name that `ip netns` has for it. */
  readonly netns: string;
}

const [SCRIPT, LIST] = [`${FOLDER}/interfaces`, `${FOLDER}/list`];
const MARK = 'interface';
/** Stands for what is not there. */
const NONE = '-';

/** Where the DHCP client notes the address of the interface of an index. */
export const leaseFile = (ifindex: string): string => `${FOLDER}/lease-${ifindex}`;

/**
 * Prints a line for each NIC of the namespace that it runs in; the argument is how that is called. The shell reads a byte
 * at a time, so that short files are worth looking for: a device's class has another name on each bus.
 */
const LOOK = `#!/bin/sh
for d in /sys/class/net/*; do
  [ -e $d/device ] || continue
  address= flags= ifindex= mtu= master=${NONE} bus=${NONE} lease=${NONE}
  read address <$d/address
  read flags <$d/flags
  read ifindex <$d/ifindex
  read mtu <$d/mtu
  [ -e $d/master ] && read master <$d/master/ifindex
  [ -e $d/device/class ] && bus=pci
  [ -e $d/device/class_id ] && bus=vmbus
  [ -e ${leaseFile('$ifindex')} ] && read lease <${leaseFile('$ifindex')}
  echo "${MARK} $1 \${d##*/} $address $flags $ifindex $mtu $master $bus $lease"
done 2>/dev/null
`;

const LOOK_EVERYWHERE = `set -- init_net
. ${SCRIPT}
for n in /run/netns/*; do
  [ -e $n ] && ip netns exec \${n##*/} sh ${SCRIPT} \${n##*/}
done
true
`;

export const INSTALL_INTERFACES = [...writeScript(SCRIPT, LOOK), ...writeScript(LIST, LOOK_EVERYWHERE)];

/** Prints every NIC of every namespace. */
export const LIST_INTERFACES = `. ${LIST}`;

/** What {@link LIST_INTERFACES} printed. An interface that went away while it was read is not there. */
export function readInterfaces(output: string): readonly GuestInterface[] {
  return output.split('\n').flatMap((line) => {
    const words = line.trim().split(' ');
    const [mark, netns, name, mac, flags, ifindex, mtu, master, bus, lease] = words;
    if (mark !== MARK || netns === undefined || name === undefined || mac === undefined || lease === undefined)
      return [];
    return [
      {
        name,
        mac,
        netns,
        flags: Number(flags),
        ifindex: Number(ifindex),
        mtu: Number(mtu),
        master: master === NONE ? undefined : Number(master),
        bus: bus ?? NONE,
        lease: lease === NONE ? undefined : lease,
      },
    ];
  });
}
