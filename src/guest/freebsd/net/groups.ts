import type { Ifnet } from './ifnet.ts';

/** V_ifg_head: the interface groups of a vnet. Whoever touches them has the IFNET lock. Source: net/if.c. */
export class IfGroups {
  private readonly members = new Map<string, Set<Ifnet>>();

  /** Whether the group is new. */
  join(group: string, ifp: Ifnet): 'new' | 'old' {
    const members = this.members.get(group);
    if (members !== undefined) {
      members.add(ifp);
      return 'old';
    }
    this.members.set(group, new Set([ifp]));
    return 'new';
  }

  /** Whether it was the last one: then there is no such group any more. */
  leave(group: string, ifp: Ifnet): 'last' | 'others' {
    const members = this.members.get(group);
    members?.delete(ifp);
    if (members === undefined || members.size > 0) return 'others';
    this.members.delete(group);
    return 'last';
  }

  get names(): readonly string[] {
    return [...this.members.keys()];
  }

  membersOf(group: string): readonly Ifnet[] {
    return [...(this.members.get(group) ?? [])];
  }
}
