/** What the host does, as lines of a timeline, for the host's line. */
import { formatEvent } from '../report/timeline.ts';
import { tell } from '../report/words.ts';
import type { Event } from '../trace/event.ts';
import type { Recorder } from '../trace/recorder.ts';

/** While nobody looks so many are kept. Invented. */
const KEPT_MOST = 200;

export class EventLines {
  on = false;
  /** Called with each line while somebody looks. */
  show: ((line: string) => void) | undefined;
  private readonly missed: string[] = [];

  constructor(recorder: Recorder) {
    recorder.listen((event) => this.hear(event));
  }

  /** What was not shown, once. */
  takeMissed(): readonly string[] {
    return this.missed.splice(0);
  }

  private hear(event: Event): void {
    if (!this.on) return;
    const { chatter, alarm } = tell(event);
    if (chatter && !alarm) return;
    const line = formatEvent(event);
    if (this.show !== undefined) this.show(line);
    else if (this.missed.push(line) > KEPT_MOST) this.missed.shift();
  }
}
