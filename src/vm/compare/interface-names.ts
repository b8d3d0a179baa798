/** Which device of the scenario an interface name in a text means: names change hands while a run goes on. */
import type { Event } from '../../trace/event.ts';

interface Bearer {
  readonly at: number;
  readonly dev: string;
}

export class InterfaceNames {
  private readonly bearers = new Map<string, Bearer[]>();
  private readonly pattern: RegExp | undefined;

  constructor(events: readonly Event[]) {
    for (const [at, event] of events.entries()) {
      if ('ifname' in event && event.ifname !== '' && event.dev !== '') this.note(event.ifname, event.dev, at);
      if (event.kind === 'netdev.renamed') this.note(event.to, event.dev, at);
    }
    const names = [...this.bearers.keys()].map((name) => name.replaceAll(/[^\w]/g, '\\$&'));
    this.pattern = names.length === 0 ? undefined : new RegExp(`(?<![\\w.-])(?:${names.join('|')})(?![\\w-])`, 'g');
  }

  /** The text with the scenario's names, as they stood at the place of that event. */
  inText(text: string, at: number): string {
    return this.pattern === undefined ? text : text.replace(this.pattern, (name) => this.devOf(name, at));
  }

  /** The last that was seen with that name, or else the next. */
  private devOf(name: string, at: number): string {
    const all = this.bearers.get(name) ?? [];
    return (all.findLast((one) => one.at <= at) ?? all[0])?.dev ?? name;
  }

  private note(name: string, dev: string, at: number): void {
    const all = this.bearers.get(name);
    if (all === undefined) this.bearers.set(name, [{ at, dev }]);
    else if (all.at(-1)?.dev !== dev) all.push({ at, dev });
  }
}
