/**
 * The guests that a machine can have: the registry of profiles, and the one place at which a guest is chosen.
 * What this leaves out: anything that the two have in common; there is nothing but the interfaces of `guest/uapi`.
 */
import { assert, known } from '../base/assert.ts';
import type { Guid } from '../base/guid.ts';
import type { Bus } from '../bus/bus.ts';
import { CLONER_MODULES } from '../guest/freebsd/cloners/modules.ts';
import { VF_DRIVER_IDS as FREEBSD_VF_IDS } from '../guest/freebsd/drivers/vf-ids.ts';
import { FreebsdGuest } from '../guest/freebsd/freebsd-guest.ts';
import * as freebsd from '../guest/freebsd/profile.ts';
import type { VfTraits } from '../guest/hv/vf-traits.ts';
import { VF_DRIVER_IDS as LINUX_VF_IDS } from '../guest/linux/drivers/ids.ts';
import { LinuxGuest } from '../guest/linux/linux-guest.ts';
import type { DriverFactory } from '../guest/linux/modules.ts';
import * as linux from '../guest/linux/profile.ts';
import type { Guest } from '../guest/uapi/guest.ts';
import type { Latency } from '../sim/latency.ts';
import type { Simulation } from '../sim/simulation.ts';
import { FREEBSD_OBSERVERS, startFreebsdObservers } from '../user/freebsd-observers.ts';
import { OBSERVER_NAMES, startObservers } from '../user/observers.ts';
import type { Plan } from './plan.ts';

export const FAMILIES = ['linux', 'freebsd'] as const;
export type GuestFamily = (typeof FAMILIES)[number];

/** What a fix is, for lists: `source` is a commit or a review, as far as there is one. */
export interface FixRow {
  readonly meaning: string;
  readonly source: string;
}

/** What there is of one family of guests. */
interface Family {
  /** How people call it. */
  readonly title: string;
  readonly profiles: Readonly<
    Record<string, { readonly name: string; readonly summary: string; readonly fixes: ReadonlySet<string> }>
  >;
  readonly fixes: Readonly<Record<string, FixRow>>;
  /** Modules that bring bus and synthetic NIC, in the order of an initramfs or a boot loader. */
  readonly modules: readonly string[];
  /** Modules that nobody loads before somebody asks for what they bring. */
  readonly modulesOnDemand: readonly string[];
  readonly vfDrivers: readonly { readonly vendor: number; readonly device: number; readonly driver: string }[];
  readonly observers: readonly string[];
  /** Programs of the other guests, and those that have their part here. */
  readonly counterparts: Readonly<Record<string, string>>;
  /** Programs of the other guests that are left out here: they only look, and no others wait for them. */
  readonly leftOut: readonly string[];
}

const linuxFixes = Object.entries(linux.FIXES).map(([name, { meaning, commit }]) => [
  name,
  { meaning, source: commit },
]);

export const GUESTS: Readonly<Record<GuestFamily, Family>> = {
  linux: {
    title: 'Linux',
    profiles: linux.PROFILES,
    fixes: Object.fromEntries(linuxFixes),
    modules: ['pci-hyperv', 'hv_netvsc'],
    modulesOnDemand: [],
    vfDrivers: LINUX_VF_IDS,
    observers: OBSERVER_NAMES,
    counterparts: { devd: 'udev', dhclient: 'manager' },
    leftOut: [],
  },
  freebsd: {
    title: 'FreeBSD',
    profiles: freebsd.PROFILES,
    fixes: freebsd.FIXES,
    modules: ['vmbus_pcib', 'hn'],
    modulesOnDemand: [...CLONER_MODULES, 'ng_ether'],
    vfDrivers: FREEBSD_VF_IDS,
    observers: FREEBSD_OBSERVERS,
    counterparts: { udev: 'devd', manager: 'dhclient' },
    leftOut: OBSERVER_NAMES.filter((name) => name.startsWith('cloud-init')),
  },
};

/** A fix by its name, with the family that has it. */
export function fixOf(name: string): (FixRow & { readonly family: GuestFamily }) | undefined {
  for (const family of FAMILIES) {
    const row = GUESTS[family].fixes[name];
    if (row !== undefined) return { ...row, family };
  }
  return undefined;
}

/** The family of a profile that there is. */
export function familyOf(profile: string): GuestFamily {
  return known(
    FAMILIES.find((family) => Object.hasOwn(GUESTS[family].profiles, profile)),
    `the family of ${profile}`,
  );
}

/** Whether a scenario that names a program can run on this family at all. */
export function canDoWith(observer: string, family: GuestFamily): boolean {
  return counterpartOf(observer, family) !== undefined || GUESTS[family].leftOut.includes(observer);
}

/** The program that does in this family's user mode what the named one does in its own; undefined when there is none. */
export function counterpartOf(observer: string, family: GuestFamily): string | undefined {
  const { observers, counterparts } = GUESTS[family];
  return observers.includes(observer) ? observer : counterparts[observer];
}

export interface GuestParts {
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly latency: Latency;
  readonly vfTraits: readonly VfTraits[];
  /** Modules of a Linux guest beside its own. */
  readonly drivers: readonly DriverFactory[];
  /** The scenario's name of an offered device, for traces. */
  readonly devOf: (instance: Guid) => string;
}

/** Makes the guest of a plan, with the programs that it runs. */
export function makeGuest({ guest, fixes, user }: Plan, parts: GuestParts): Guest {
  const { sim, bus, latency, vfTraits, drivers, devOf } = parts;
  if (familyOf(guest) === 'freebsd') {
    assert(drivers.length === 0, 'drivers that are not netvsim’s own are for Linux guests');
    const profile = freebsd.withFixes(known(freebsd.PROFILES[guest], `guest ${guest}`), fixes);
    const made = new FreebsdGuest(sim, bus, { profile, latency, vfTraits, devOf });
    startFreebsdObservers(user, { sim, uapi: made, latency });
    return made;
  }
  const profile = linux.withFixes(known(linux.PROFILES[guest], `guest ${guest}`), fixes);
  const made = new LinuxGuest(sim, bus, { profile, latency, vfTraits, drivers, devOf });
  startObservers(user, { sim, uapi: made, latency });
  return made;
}

/** The same guest, for what only Linux has. */
export function linuxOf({ guest }: { readonly guest: Guest }): LinuxGuest {
  assert(guest instanceof LinuxGuest, 'the guest is no Linux');
  return guest;
}

/** The same guest, for what only FreeBSD has. */
export function freebsdOf({ guest }: { readonly guest: Guest }): FreebsdGuest {
  assert(guest instanceof FreebsdGuest, 'the guest is no FreeBSD');
  return guest;
}
