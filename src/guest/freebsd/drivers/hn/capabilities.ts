/**
 * What hn can while a VF carries for it: what both can. Source: if_hn.c (hn_xpnt_vf_setready(), hn_ifnet_detevent());
 * reference E.4, G-35: when it was converted to accessors the intersection became a difference, and what was saved went to
 * the interface that leaves.
 * What this leaves out: TSO limits, hwassist, and requests of user mode for capabilities.
 */
import { IFCAP } from '../../../uapi/freebsd.ts';
import type { Ifnet } from '../../net/ifnet.ts';
import { fixed } from '../../net.ts';
import type { Hn } from './softc.ts';

/** What hn has of the host's offloads, all of them on (hn_attach()). */
export const HN_CAPABILITIES =
  IFCAP.RXCSUM | IFCAP.TXCSUM | IFCAP.VLAN_MTU | IFCAP.VLAN_HWTAGGING | IFCAP.TSO4 | IFCAP.LRO | IFCAP.LINKSTATE;

/** With the HN lock. */
export function narrowCapabilities(hn: Hn, vf: Ifnet): void {
  const { capabilities, enabled } = hn.ifp;
  hn.saved = { capabilities, enabled };
  const both = fixed(hn.kernel.net, 'hn-capabilities') ? vf.capabilities : ~vf.capabilities;
  change(hn, hn.ifp, capabilities & both, enabled & both);
  const passed = hn.ifp.enabled & vf.capabilities;
  change(hn, vf, vf.capabilities, passed);
}

/** With the HN lock. */
export function giveCapabilitiesBack(hn: Hn, vf: Ifnet): void {
  const { saved } = hn;
  hn.saved = undefined;
  if (saved === undefined) return;
  const to = fixed(hn.kernel.net, 'hn-capabilities') ? hn.ifp : vf;
  change(hn, to, saved.capabilities, saved.enabled);
}

function change({ kernel }: Hn, ifp: Ifnet, capabilities: number, enabled: number): void {
  const { dev, capabilities: wasCapable, enabled: wasEnabled } = ifp;
  if (wasCapable === capabilities && wasEnabled === enabled) return;
  ifp.can(capabilities, enabled);
  kernel.sim.trace.emit({ kind: 'netdev.capabilities', dev, capabilities, enabled, wasCapable, wasEnabled });
}
