/** `npm run bench`: what a step, a cycle, a device and a frame cost, against targets and floors of the same run. */
import { cycleLines } from './cycle.ts';
import { frameLines } from './frames.ts';
import { print } from './measure.ts';
import { scaleLines } from './scale.ts';

const met = [print('Steps and cycles', cycleLines()), print('Scale', scaleLines()), print('Frames', frameLines())];
process.exitCode = met.every(Boolean) ? 0 : 1;
