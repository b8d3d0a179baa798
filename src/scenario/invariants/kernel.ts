/** What a kernel says of itself when it has gone wrong: memory, its own claims, the order of its locks. */
import type { Findings, Invariant, Monitor } from './invariant.ts';

export const noMemoryFault: Invariant = {
  name: 'no-memory-fault',
  meaning: "The guest's kernel never uses memory that is freed or was never there.",
  why:
    'It is a panic at best. At worst the memory belongs to somebody else by then, and what is written there shows ' +
    'days later in another place.',
  covers: [],
  source: 'reference A.17 (INV-A6, INV-A7), E.8 (INV-E7)',
  races: ['G-3', 'G-4', 'G-6', 'G-11', 'G-37', 'G-39', 'G-40'],
  start: (findings: Findings): Monitor => ({
    on: {
      'memory.fault': (event) => {
        const { dev, fault, what, by, freedBy } = event;
        const freed = freedBy === '' ? '' : `, freed by ${freedBy}`;
        findings.violated(dev, `${fault} of its ${what} by ${by}${freed}`, event);
      },
    },
  }),
};

export const kernelAssertsHold: Invariant = {
  name: 'kernel-asserts-hold',
  meaning: "What the guest's kernel claims in its own code holds.",
  why:
    'A kernel with INVARIANTS stops there. One without goes on with what its authors took for impossible: a slot of ' +
    'a table that is not its own, a reference from none.',
  covers: [],
  source: 'reference A.17, E.8: KASSERT() and MPASS() of FreeBSD',
  races: ['G-14', 'G-28'],
  start: (findings: Findings): Monitor => ({
    on: {
      'kernel.assert': (event) => {
        findings.violated(event.dev, event.what, event);
      },
    },
  }),
};

export const locksInOrder: Invariant = {
  name: 'locks-in-order',
  meaning:
    'No two kinds of locks are taken in both orders, and nobody who must not sleep waits for a lock that sleeps.',
  why: 'Two threads that meet there wait for each other for good. Nobody need have met for the order to be wrong.',
  covers: [],
  source: 'reference A.2, F-10: WITNESS of FreeBSD',
  races: ['G-15'],
  start: (findings: Findings): Monitor => ({
    on: {
      'lock.order': (event) => {
        const { problem, thread, holds, takes } = event;
        findings.violated(thread, `${problem}: it has ${holds} and takes ${takes}`, event);
      },
    },
  }),
};
