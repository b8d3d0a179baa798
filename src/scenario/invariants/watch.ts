/** Lets invariants watch one run, and puts what they find into the trace. */
import { assert } from '../../base/assert.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Event, EventBody, EventKind } from '../../trace/event.ts';
import type { Recorder } from '../../trace/recorder.ts';
import { type Findings, type Handlers, type Monitor, nicOf } from './invariant.ts';
import { INVARIANTS } from './invariants.ts';

interface Handler {
  readonly handle: (event: never) => void;
  /** Whose it is, as an index into the monitors. */
  readonly monitor: number;
}

export class Watch {
  private readonly monitors: readonly Monitor[];
  private readonly handlers = new Map<EventKind, Handler[]>();
  private sim: Simulation | undefined;
  /** One for each monitor: what it has seen so far. */
  private places: readonly Place[] = [];
  /** Which of the monitors compare NICs with each other. */
  private readonly across: readonly boolean[];
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
    const invariants = names.map((name) => {
      const invariant = INVARIANTS.find((known) => known.name === name);
      assert(invariant !== undefined, `there is no invariant ${name}`);
      return invariant;
    });
    this.monitors = invariants.map((invariant) => invariant.start(this.findingsOf(invariant.name)));
    this.across = invariants.map(({ across }) => across === true);
    this.monitors.forEach(({ knows = [], on }, monitor) => {
      for (const tracker of knows) this.add(tracker.on, monitor);
      this.add(on, monitor);
    });
    trace.listen((event) => this.see(event), this.handlers.keys());
  }

  /** What a monitor concludes depends on the order of the events that it sees: a search has to know of it. */
  noteIn(sim: Simulation): void {
    this.sim = sim;
    this.places = this.monitors.map(() => new Place(sim));
  }

  /** To be called when nothing more can happen. */
  rest(): void {
    for (const monitor of this.monitors) monitor.rest?.();
    this.report();
  }

  private see(event: Event): void {
    const handlers = this.handlers.get(event.kind);
    if (handlers === undefined) return;
    const isNoted = this.sim?.footprint !== undefined;
    for (const { handle, monitor } of handlers) {
      if (isNoted) this.note(event, monitor);
      handle(event as never);
    }
    this.report();
  }

  private note(event: Event, monitor: number): void {
    const dev = 'dev' in event ? event.dev : 'nic' in event ? event.nic : undefined;
    if (dev === undefined || this.across[monitor] === true) this.places[monitor]?.write();
    else this.places[monitor]?.writeNamed(nicOf(dev) ?? dev);
  }

  private add(on: Handlers, monitor: number): void {
    for (const kind of Object.keys(on) as EventKind[]) {
      const handlers = this.handlers.get(kind);
      const handler = { handle: on[kind] as Handler['handle'], monitor };
      if (handlers === undefined) this.handlers.set(kind, [handler]);
      else handlers.push(handler);
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
