import type { Event, EventBody, EventKind, Stamp } from './event.ts';
import { Frames } from './frames.ts';

/** Sees each event as it happens. A listener only looks: whatever it changed would be no part of the order of events. */
export type Listener = (event: Event) => void;

/**
 * Collects what happens, stamped with time, step and context by whoever drives the run.
 * With nobody listening to its kind an event costs its literal and a look into a table.
 */
export class Recorder {
  readonly frames = new Frames();
  /** Events so far, heard or not. */
  count = 0;
  private readonly listeners: { readonly listener: Listener; readonly kinds: ReadonlySet<EventKind> | undefined }[] =
    [];
  /** By kind: who listens to it, in the order in which they began to. */
  private readonly hearers = new Map<EventKind, readonly Listener[]>();
  private stamp: () => Stamp = () => ({ time: 0, step: 0, context: 'set-up' });

  /** The one who knows what time it is and who runs. */
  stampedBy(stamp: () => Stamp): void {
    this.stamp = stamp;
  }

  /** `kinds`: what it wants to hear of, when that is not everything. */
  listen(listener: Listener, kinds?: Iterable<EventKind>): void {
    this.listeners.push({ listener, kinds: kinds === undefined ? undefined : new Set(kinds) });
    this.hearers.clear();
  }

  /** Whether anybody listens to events of that kind: what is made for them alone need not be made without. */
  hears(kind: EventKind): boolean {
    return this.hearersOf(kind).length > 0;
  }

  /** Stamps the body and tells it; the body must be the caller's own, made for this one call. */
  emit(body: EventBody): void {
    this.count++;
    const hearers = this.hearersOf(body.kind);
    if (hearers.length === 0) return;
    // The stamp is put into the body: a copy of so many shapes costs more than all else that an event does.
    const event = Object.assign(body, this.stamp()) as Event;
    for (const listener of hearers) listener(event);
  }

  private hearersOf(kind: EventKind): readonly Listener[] {
    let hearers = this.hearers.get(kind);
    if (hearers === undefined) {
      hearers = this.listeners.flatMap(({ listener, kinds }) => (kinds?.has(kind) === false ? [] : [listener]));
      this.hearers.set(kind, hearers);
    }
    return hearers;
  }
}

/** A listener that keeps everything. */
export function keep(recorder: Recorder): readonly Event[] {
  const events: Event[] = [];
  recorder.listen((event) => events.push(event));
  return events;
}
