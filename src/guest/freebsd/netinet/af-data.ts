import type { Cell } from '../../../sim/cell.ts';
import type { KernelMemory } from '../kern/memory.ts';
import type { InMulti } from './in-multi.ts';
import type { LlTable } from './neighbours.ts';

/** Address families that keep data of an interface (if_afdata[]). */
export const FAMILIES = ['inet', 'inet6'] as const;
export type Family = (typeof FAMILIES)[number];

/** What a family keeps: struct in_ifinfo, struct in6_ifextra. Readers follow the pointer to it in an epoch section. */
export interface AfData {
  readonly family: Family;
  readonly memory: KernelMemory;
  readonly lltable: LlTable;
  /** ii_allhosts: IPv4's own membership. */
  readonly allHosts: Cell<InMulti | undefined>;
}
