/**
 * Which sources of a group a member wants to hear: all but those on a list (exclude), or those on it only (include). A
 * list is made when the first source is put on it. Source: netinet/in_mcast.c (struct in_mfilter, imo_multi_filter()), RFC
 * 3678; reference F-9.
 */
export type FilterMode = 'exclude' | 'include';

/** IP_MAX_SOCK_SRC_FILTER (netinet/in.h). */
export const SOURCES_MOST = 128;

export class SourceFilter {
  private ownMode: FilterMode;
  private list: Set<string> | undefined;

  constructor(mode: FilterMode) {
    this.ownMode = mode;
  }

  get mode(): FilterMode {
    return this.ownMode;
  }

  /** Whether anybody ever put a source on it. */
  get isAllocated(): boolean {
    return this.list !== undefined;
  }

  get sources(): readonly string[] {
    return [...(this.list ?? [])];
  }

  has(source: string): boolean {
    return this.list?.has(source) ?? false;
  }

  /** An empty list that excludes hears everybody; one that includes hears nobody. */
  passes(source: string): boolean {
    return this.ownMode === 'exclude' ? !this.has(source) : this.has(source);
  }

  add(source: string): void {
    this.list ??= new Set();
    this.list.add(source);
  }

  remove(source: string): void {
    this.list?.delete(source);
  }

  /** setsourcefilter(): mode and list at once. */
  replace(mode: FilterMode, sources: readonly string[]): void {
    this.ownMode = mode;
    this.list = sources.length === 0 ? undefined : new Set(sources);
  }
}
