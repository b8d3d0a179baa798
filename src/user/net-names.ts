/**
 * The names that udev's net_id builtin makes for a PCI Ethernet function, and which of them the default policy takes.
 * Source: systemd 252 src/udev/udev-builtin-net_id.c (names_pci, dev_pci_slot), src/udev/net/link-config.c
 * (link_generate_new_name), network/99-default.link (`NamePolicy=keep kernel database onboard slot path`).
 * What this leaves out: firmware indices (onboard), the hardware database, multi-port suffixes (dev_port) and multi-
 * function devices whose first function would get an `f0`.
 */
import type { PciLocation } from '../guest/uapi/linux.ts';

export interface NetNames {
  /** ID_NET_NAME_SLOT. */
  readonly slot: string | undefined;
  /** ID_NET_NAME_PATH. */
  readonly path: string;
}

/** Undefined for a device that is no PCI function: net_id knows no name for a VMBus NIC. */
export function netNames(location: PciLocation | undefined): NetNames | undefined {
  if (location === undefined) return undefined;
  const domain = location.domain === 0 ? '' : `P${location.domain}`;
  const functionPart = location.function === 0 ? '' : `f${location.function}`;
  // A slot directory counts only when its whole name is a number above zero: "2-1" is none.
  const { slot } = location;
  const isNumber = slot !== undefined && /^\d+$/.test(slot) && Number(slot) > 0;
  return {
    slot: isNumber ? `en${domain}s${Number(slot)}${functionPart}` : undefined,
    path: `en${domain}p${location.bus}s${location.device}${functionPart}`,
  };
}

/** NET_NAME_PREDICTABLE, _USER, _RENAMED (uapi/linux/netdevice.h): names that the policy leaves as they are. */
const KEPT_NAMES = ['2', '3', '4'];

/**
 * The name that the default policy wants, or undefined where it leaves the device as it is. `nameAssignType` is
 * undefined where the kernel does not tell (EINVAL for NET_NAME_UNKNOWN).
 */
export function policyName(names: NetNames | undefined, nameAssignType: string | undefined): string | undefined {
  if (nameAssignType !== undefined && KEPT_NAMES.includes(nameAssignType)) return undefined;
  return names?.slot ?? names?.path;
}
