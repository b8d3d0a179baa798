/** Events as log lines on standard error: the only place that knows pino. Virtual time stands in the line itself. */
import { type Level, levels, pino } from 'pino';
import { tell } from '../report/words.ts';
import type { Listener } from '../trace/recorder.ts';

export const LOG_LEVELS: readonly string[] = [...Object.values(levels.labels), 'silent'];

/** A listener that logs what happens: alarms as warnings, set-up and traffic only at `debug`. */
export function logEvents(level: string): Listener {
  const logger = pino({ level, base: null, timestamp: false }, pino.destination({ dest: 2, sync: true }));
  return (event) => {
    const words = tell(event);
    const at: Level = words.alarm ? 'warn' : words.chatter ? 'debug' : 'info';
    logger[at](event, words.text);
  };
}
