/** `npm run bench`: what a step, a cycle, a device, a frame and an order cost, against targets and floors of the same run. */
import { cycleLines } from './cycle.ts';
import { frameLines } from './frames.ts';
import { freebsdScaleLines } from './freebsd-scale.ts';
import { guestLines } from './guests.ts';
import { print } from './measure.ts';
import { scaleLines } from './scale.ts';
import { searchLines } from './search.ts';
import { spinLines } from './spin.ts';

const met = [
  print('Steps and cycles', cycleLines()),
  print('The two guests', guestLines()),
  print('Scale', scaleLines()),
  print('FreeBSD at scale', freebsdScaleLines()),
  print('Frames', frameLines()),
  print('Search', await searchLines()),
];
const spin = spinLines();
if (typeof spin === 'string') console.log(spin);
else print('The same toy under SPIN', spin);
process.exitCode = met.every(Boolean) ? 0 : 1;
