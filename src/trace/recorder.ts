import type { Event, EventBody, Stamp } from './event.ts';
import { Frames } from './frames.ts';

/** Sees each event as it happens. A listener only looks: whatever it changed would be no part of the order of events. */
export type Listener = (event: Event) => void;

/**
 * Collects what happens, stamped with time, step and context by whoever drives the run.
 * With nobody listening an event costs its literal and one test.
 */
export class Recorder {
  readonly frames = new Frames();
  private readonly listeners: Listener[] = [];
  private stamp: () => Stamp = () => ({ time: 0, step: 0, context: 'set-up' });

  /** The one who knows what time it is and who runs. */
  stampedBy(stamp: () => Stamp): void {
    this.stamp = stamp;
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Whether anybody listens: what is made for the trace alone need not be made without. */
  get heard(): boolean {
    return this.listeners.length > 0;
  }

  /** Stamps the body and tells it; the body must be the caller's own, made for this one call. */
  emit(body: EventBody): void {
    if (this.listeners.length === 0) return;
    // The stamp is put into the body: a copy of so many shapes costs more than all else that an event does.
    const event = Object.assign(body, this.stamp()) as Event;
    for (const listener of this.listeners) listener(event);
  }
}

/** A listener that keeps everything. */
export function keep(recorder: Recorder): readonly Event[] {
  const events: Event[] = [];
  recorder.listen((event) => events.push(event));
  return events;
}
