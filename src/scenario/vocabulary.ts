/** The names that a scenario can use: who loads one brings them, since devices and profiles are not known here. */
import { LATENCY } from '../sim/latency.ts';

export interface Vocabulary {
  readonly profiles: readonly string[];
  /** Fixes that can be switched on or off against a profile. */
  readonly fixes: readonly string[];
  readonly vfs: readonly string[];
  readonly synthetics: readonly string[];
  /** Modelled observers. */
  readonly observers: readonly string[];
  /** Every module of the guests, in the order in which they are loaded when a scenario says nothing. */
  readonly modules: readonly string[];
}

/** The names that one scenario's own steps can use beside the vocabulary. */
export interface Names extends Vocabulary {
  /** Those that this scenario runs. */
  readonly observers: readonly string[];
  readonly nics: readonly string[];
  /** NICs that have a VF model of their own. */
  readonly nicsWithVf: readonly string[];
  /** Flows that a step above has started. */
  readonly flows: readonly string[];
}

export const latencyRows = (): readonly string[] => Object.keys(LATENCY);

/** `nic1` and `nic1.vf` of every NIC. */
export const devicesOf = (nics: readonly string[]): readonly string[] => nics.flatMap((nic) => [nic, `${nic}.vf`]);
