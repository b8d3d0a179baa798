/** What a header's words mean: names are looked up, addresses compared, and a plan is made. */
import { type MacAddress, mac } from '../base/mac.ts';
import { parseDuration } from '../base/time.ts';
import { canDoWith, counterpartOf, type GuestFamily } from '../machine/guests.ts';
import type { NicPlan, Plan } from '../machine/plan.ts';
import type { Header } from './header.ts';
import { bindingOn, INVARIANTS } from './invariants/invariants.ts';
import type { Overrides } from './load.ts';
import { type Problem, unknownName } from './problem.ts';
import { OTHER_BREAKS } from './race.ts';
import { NEEDS, type Race, type Scenario, USUAL_GUEST, USUAL_SYNTHETIC } from './scenario.ts';
import { type GuestWords, latencyRows, titlesWith, type Vocabulary } from './vocabulary.ts';

/** The line on which a key stands. */
export type Where = (path: readonly PropertyKey[]) => number;

type Found = Omit<Problem, 'file'>;

/** Names that nobody knows, and NICs that cannot stand beside each other. */
export function checkMeaning(
  header: Header,
  overrides: Overrides,
  vocabulary: Vocabulary,
  family: GuestFamily,
  where: Where,
): readonly Found[] {
  const found: Found[] = [];
  const look = (
    what: string,
    word: string | undefined,
    among: readonly string[],
    path: readonly PropertyKey[],
  ): void => {
    if (word === undefined || among.includes(word)) return;
    found.push({ line: where(path), message: unknownName(what, word, among) });
  };
  const lookAll = (what: string, words: readonly string[] | undefined, among: readonly string[], key: string): void => {
    const seen = new Set<string>();
    words?.forEach((word, i) => {
      look(what, word, among, [key, i]);
      if (seen.has(word)) found.push({ line: where([key, i]), message: `${key} names ${word} twice` });
      seen.add(word);
    });
  };
  if (overrides.guest === undefined) look('guest', header.guest, vocabulary.profiles, ['guest']);
  else if (!vocabulary.profiles.includes(overrides.guest)) {
    found.push({ line: undefined, message: `--guest: ${unknownName('guest', overrides.guest, vocabulary.profiles)}` });
  }
  for (const [name, nic] of Object.entries(header.nics)) {
    look('VF model', nic.vf, vocabulary.vfs, ['nics', name, 'vf']);
    look('synthetic NIC', nic.synthetic, vocabulary.synthetics, ['nics', name, 'synthetic']);
  }
  const own = (what: string, kind: keyof GuestWords, word: string, path: readonly PropertyKey[]): void => {
    const message = foreignName(what, kind, word, vocabulary, family);
    if (message !== undefined) found.push({ line: where(path), message });
  };
  for (const fix of Object.keys(header.fixes ?? {})) {
    look('fix', fix, vocabulary.fixes, ['fixes', fix]);
    own('fix', 'fixes', fix, ['fixes', fix]);
  }
  const rows = latencyRows();
  for (const row of Object.keys(header.latency ?? {})) look('latency row', row, rows, ['latency', row]);
  lookAll('observer', header.user, vocabulary.observers, 'user');
  for (const [i, observer] of (header.user ?? []).entries()) {
    if (!canDoWith(observer, family)) own('observer', 'observers', observer, ['user', i]);
  }
  for (const [i, module] of (header.modules ?? []).entries()) own('module', 'modules', module, ['modules', i]);
  lookAll('module', header.modules, vocabulary.modules, 'modules');
  lookAll('need', header.needs, Object.keys(NEEDS), 'needs');
  const invariants = INVARIANTS.map((invariant) => invariant.name);
  lookAll('invariant', header.always, invariants, 'always');
  return [...found, ...checkRace(header, vocabulary, family, where), ...checkNics(header, where)];
}

/** What is wrong with a name that each family of guests has its own of; nothing with one that nobody knows. */
function foreignName(
  what: string,
  kind: keyof GuestWords,
  word: string,
  vocabulary: Vocabulary,
  family: GuestFamily,
): string | undefined {
  if (vocabulary.guests[family][kind].includes(word)) return undefined;
  const others = titlesWith(vocabulary, kind, word);
  return others === '' ? undefined : `${what} ${word} is one of ${others}: this guest is none`;
}

/** The fixes without which the race is there. */
function fixesOf({ race }: Header): readonly string[] {
  return race === undefined ? [] : [race.without].flat();
}

function checkRace(header: Header, vocabulary: Vocabulary, family: GuestFamily, where: Where): readonly Found[] {
  const { fixes } = vocabulary;
  const { race, always } = header;
  if (race === undefined) return [];
  const found: Found[] = [];
  const complain = (message: string, ...path: PropertyKey[]) => found.push({ line: where(['race', ...path]), message });
  const lookAt = (key: 'without' | 'remedies', fix: string, i: number): void => {
    const foreign = foreignName('fix', 'fixes', fix, vocabulary, family);
    if (foreign !== undefined) complain(foreign, key, i);
    else if (!fixes.includes(fix)) complain(unknownName('fix', fix, fixes), key, i);
    else if (key === 'without' && header.fixes?.[fix] === 'off') complain(`fixes has ${fix} off already`, key, i);
  };
  for (const [i, fix] of fixesOf(header).entries()) lookAt('without', fix, i);
  for (const [i, fix] of (race.remedies ?? []).entries()) lookAt('remedies', fix, i);
  const invariants = INVARIANTS.map((invariant) => invariant.name);
  const breakable = [...invariants, ...OTHER_BREAKS];
  const { breaks } = race;
  if (!breakable.includes(breaks)) complain(unknownName('invariant', breaks, breakable), 'breaks');
  else if (always?.includes(breaks) === false && invariants.includes(breaks)) {
    complain(`${breaks} is not watched: add it to always`, 'breaks');
  }
  return found;
}

function checkNics(header: Header, where: Where): readonly Found[] {
  const found: Found[] = [];
  const [macs, serials] = [new Map<string, string>(), new Map<number, string>()];
  for (const { name, mac, serial } of nicPlans(header)) {
    const withMac = macs.get(mac);
    if (withMac === undefined) macs.set(mac, name);
    else found.push({ line: where(['nics', name, 'mac']), message: `${name} has the MAC of ${withMac}` });
    const withSerial = serials.get(serial);
    if (withSerial === undefined) serials.set(serial, name);
    else {
      const message = `${name} has the serial number ${serial} of ${withSerial} (only pciSerial may be crossed)`;
      found.push({ line: where(['nics', name, 'serial']), message });
    }
  }
  return found;
}

/** Everything of a scenario but its steps. */
export function planOf(
  header: Header,
  overrides: Overrides,
  vocabulary: Vocabulary,
  family: GuestFamily,
): Omit<Scenario, 'steps'> {
  const latency = Object.entries(header.latency ?? {}).map(([row, span]) => [row, parseDuration(span) ?? 0] as const);
  const fixes = Object.entries(header.fixes ?? {}).map(([fix, state]) => [fix, state === 'on'] as const);
  const plan: Plan = {
    guest: overrides.guest ?? header.guest ?? USUAL_GUEST,
    fixes: Object.fromEntries(fixes),
    nics: nicPlans(header),
    user: (header.user ?? []).flatMap((observer) => counterpartOf(observer, family) ?? []),
    modules: header.modules ?? vocabulary.guests[family].modulesAtBoot,
    latency: Object.fromEntries(latency),
    transport: overrides.transport ?? header.transport ?? 'bytes',
  };
  return {
    name: header.name,
    about: header.about.trim(),
    plan,
    needs: header.needs ?? [],
    ...bindingOn(family, header.always, header.guest !== undefined),
    ...(header.race === undefined ? {} : { race: raceOf(header.race) }),
  };
}

function raceOf({ id, without, breaks, remedies }: NonNullable<Header['race']>): Race {
  return { id, without: [without].flat(), breaks, ...(remedies === undefined ? {} : { remedies }) };
}

function nicPlans(header: Header): readonly NicPlan[] {
  return Object.entries(header.nics).map(([name, nic], i) => {
    const serial = nic.serial ?? i + 1;
    const address: MacAddress = mac(nic.mac);
    const synthetic = nic.synthetic ?? USUAL_SYNTHETIC;
    return { name, mac: address, vf: nic.vf, synthetic, serial, pciSerial: nic.pciSerial ?? serial };
  });
}
