/** A case of the matrix to be searched, as data that another thread can have, and the program that it becomes there. */
import { Crew } from '../campaign/crew.ts';
import { caseProgram, type MatrixCase } from '../drill/clone-matrix.ts';
import type { Program } from '../explore/program.ts';
import { PROFILES, type Profile, withFixes } from '../guest/freebsd/profile.ts';

export interface Fight extends MatrixCase {
  /** A name of FreeBSD's profiles, and fixes that it has not. */
  readonly guest: string;
  readonly without: readonly string[];
}

export function makeFight({ guest, without, ...each }: Fight): Program {
  const off = Object.fromEntries(without.map((fix) => [fix, false]));
  return caseProgram(each, withFixes(PROFILES[guest] as Profile, off));
}

/** To be closed in the end. */
export function crewForFights(specs: readonly Fight[], jobs: number): Crew<Fight> {
  const worker = new URL('./matrix-worker.js', import.meta.url);
  return new Crew({ specs, makeProgram: makeFight, worker, jobs });
}
