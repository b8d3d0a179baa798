/** The names that a scenario can use. Devices come from whoever loads it. */
import { known } from '../base/assert.ts';
import { FAMILIES, GUESTS, type GuestFamily } from '../machine/guests.ts';
import type { Catalogue } from '../machine/machine.ts';
import { LATENCY } from '../sim/latency.ts';

/** What one family of guests has. */
export interface GuestWords {
  readonly profiles: readonly string[];
  /** Fixes that can be switched on or off against a profile. */
  readonly fixes: readonly string[];
  /** Modelled programs of its user mode. */
  readonly observers: readonly string[];
  /** All its modules. */
  readonly modules: readonly string[];
  /** Those that are loaded when a scenario says nothing, in that order. */
  readonly modulesAtBoot: readonly string[];
}

/** The words of all guests. */
export interface Vocabulary extends GuestWords {
  readonly guests: Readonly<Record<GuestFamily, GuestWords>>;
  readonly vfs: readonly string[];
  readonly synthetics: readonly string[];
}

/** What a scenario can name when the modelled machine has these devices, and a Linux guest these modules beside its own. */
export function vocabularyOf({ vfs, synthetics }: Catalogue, added: readonly string[] = []): Vocabulary {
  const wordsOf = (family: GuestFamily): GuestWords => {
    const { profiles, fixes, observers, modules, modulesOnDemand, vfDrivers } = GUESTS[family];
    const drivers = vfs.flatMap(({ pci }) =>
      vfDrivers.filter(({ vendor, device }) => vendor === pci.vendor && device === pci.device),
    );
    const names = [...modules, ...drivers.map(({ driver }) => driver), ...(family === 'linux' ? added : [])];
    return {
      profiles: Object.keys(profiles),
      fixes: Object.keys(fixes),
      observers,
      modules: [...new Set([...names, ...modulesOnDemand])],
      modulesAtBoot: [...new Set(names)],
    };
  };
  const guests = { linux: wordsOf('linux'), freebsd: wordsOf('freebsd') };
  const all = (key: keyof GuestWords): readonly string[] => [...new Set(FAMILIES.flatMap((each) => guests[each][key]))];
  return {
    guests,
    profiles: all('profiles'),
    fixes: all('fixes'),
    observers: all('observers'),
    modules: all('modules'),
    modulesAtBoot: all('modulesAtBoot'),
    vfs: vfs.map(({ name }) => name),
    synthetics: synthetics.map(({ name }) => name),
  };
}

/** The family of a profile that the vocabulary has. */
export function familyIn({ guests }: Vocabulary, profile: string): GuestFamily {
  return known(
    FAMILIES.find((family) => guests[family].profiles.includes(profile)),
    `the family of ${profile}`,
  );
}

/** The families that have a name of this kind, in words: `Linux`. */
export function titlesWith({ guests }: Vocabulary, kind: keyof GuestWords, name: string): string {
  const having = FAMILIES.filter((family) => guests[family][kind].includes(name));
  return having.map((family) => GUESTS[family].title).join(' and ');
}

/** The names that one scenario's own steps can use beside the vocabulary. */
export interface Names extends Vocabulary {
  /** The family of the guest that it runs on, and the one that it was written for; absent where nobody runs one. */
  readonly guest?: { readonly is: GuestFamily; readonly writtenFor: GuestFamily };
  /** Those that this scenario runs. */
  readonly observers: readonly string[];
  readonly nics: readonly string[];
  /** NICs that have a VF model of their own. */
  readonly nicsWithVf: readonly string[];
  /** Flows that a step above has started. */
  readonly flows: readonly string[];
  /** Whether the last step above that did anything in the guest could be refused. */
  readonly lastGuestLine?: 'try' | 'must';
}

export const latencyRows = (): readonly string[] => Object.keys(LATENCY);

/** `nic1` and `nic1.vf` of every NIC. */
export const devicesOf = (nics: readonly string[]): readonly string[] => nics.flatMap((nic) => [nic, `${nic}.vf`]);
