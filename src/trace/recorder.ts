import type { Event, EventBody, EventKind, Stamp } from './event.ts';
import { Frames } from './frames.ts';

/** Sees each event as it happens. A listener only looks: whatever it changed would be no part of the order of events. */
export type Listener = (event: Event) => void;

/**
 * Collects what happens, stamped with time, step and context by whoever drives the run.
 * With nobody listening to its kind an event costs its literal and a look into a table.
 */
export class Recorder {
  private ledgers: Frames | undefined;
  /** Events so far, heard or not. */
  count = 0;
  /** Those who hear everything, before those who asked for some kinds. */
  private readonly listeners: Listener[] = [];
  private readonly listenersTo = new Map<EventKind, Listener[]>();
  private stamp: () => Stamp = () => ({ time: 0, step: 0, context: 'set-up' });

  /** What became of the frames of flows. */
  get frames(): Frames {
    this.ledgers ??= new Frames();
    return this.ledgers;
  }

  /** The one who knows what time it is and who runs. */
  stampedBy(stamp: () => Stamp): void {
    this.stamp = stamp;
  }

  /** `kinds`: what it wants to hear of, each once, when that is not everything. */
  listen(listener: Listener, kinds?: Iterable<EventKind>): void {
    if (kinds === undefined) this.listeners.push(listener);
    for (const kind of kinds ?? []) {
      const others = this.listenersTo.get(kind);
      if (others === undefined) this.listenersTo.set(kind, [listener]);
      else others.push(listener);
    }
  }

  /** Whether anybody listens to events of that kind: what is made for them alone need not be made without. */
  hears(kind: EventKind): boolean {
    return this.listeners.length > 0 || this.listenersTo.has(kind);
  }

  /** Stamps the body and tells it; the body must be the caller's own, made for this one call. */
  emit(body: EventBody): void {
    this.count++;
    const some = this.listenersTo.get(body.kind);
    if (some === undefined && this.listeners.length === 0) return;
    // The stamp is put into the body: a copy of so many shapes costs more than all else that an event does.
    const event = body as { -readonly [Field in keyof Stamp]: Stamp[Field] } & EventBody;
    const { time, step, context } = this.stamp();
    event.time = time;
    event.step = step;
    event.context = context;
    for (const listener of this.listeners) listener(event);
    if (some !== undefined) for (const listener of some) listener(event);
  }
}

/** A listener that keeps everything. */
export function keep(recorder: Recorder): readonly Event[] {
  const events: Event[] = [];
  recorder.listen((event) => events.push(event));
  return events;
}
