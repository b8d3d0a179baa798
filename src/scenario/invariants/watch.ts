/** Lets invariants watch one run, and puts what they find into the trace. */
import { assert } from '../../base/assert.ts';
import type { Event, EventBody } from '../../trace/event.ts';
import type { Recorder } from '../../trace/recorder.ts';
import type { Findings, Handlers, Monitor } from './invariant.ts';
import { INVARIANTS } from './invariants.ts';

export class Watch {
  private readonly monitors: readonly Monitor[];
  private readonly handlers = new Map<string, ((event: never) => void)[]>();
  /** What the event at hand has brought up: reported when every monitor has seen it. */
  private found: EventBody[] = [];
  private readonly trace: Recorder;
  private readonly isTimed: () => boolean;

  /**
   * `names` of invariants; `isTimed`: whether time passes only when nothing can run. To be made after the listeners that
   * are to see an event before what follows from it.
   */
  constructor(trace: Recorder, names: readonly string[], isTimed: () => boolean = () => true) {
    this.trace = trace;
    this.isTimed = isTimed;
    this.monitors = names.map((name) => {
      const invariant = INVARIANTS.find((known) => known.name === name);
      assert(invariant !== undefined, `there is no invariant ${name}`);
      return invariant.start(this.findingsOf(name));
    });
    for (const { knows = [], on } of this.monitors) {
      for (const tracker of knows) this.add(tracker.on);
      this.add(on);
    }
    trace.listen((event) => this.see(event));
  }

  /** To be called when nothing more can happen. */
  rest(): void {
    for (const monitor of this.monitors) monitor.rest?.();
    this.report();
  }

  private see(event: Event): void {
    const handlers = this.handlers.get(event.kind);
    if (handlers === undefined) return;
    for (const handle of handlers) handle(event as never);
    this.report();
  }

  private add(on: Handlers): void {
    for (const [kind, handle] of Object.entries(on)) {
      const handlers = this.handlers.get(kind);
      if (handlers === undefined) this.handlers.set(kind, [handle]);
      else handlers.push(handle);
    }
  }

  private report(): void {
    if (this.found.length === 0) return;
    const found = this.found;
    this.found = [];
    for (const body of found) this.trace.emit(body);
  }

  private findingsOf(invariant: string): Findings {
    const violated: Findings['violated'] = (dev, found, { time: since, step: sinceStep }) => {
      this.found.push({ kind: 'invariant.violated', invariant, dev, found, since, sinceStep });
    };
    return {
      violated,
      late: (dev, found, since) => {
        if (this.isTimed()) violated(dev, found, since);
      },
      exempt: (dev, why) => {
        this.found.push({ kind: 'invariant.exempt', invariant, dev, why });
      },
    };
  }
}
