/** A worker thread of `netvsim matrix`: kernels of its own. */
import { serve } from '../campaign/worker.ts';
import { makeFight } from './fight.ts';

serve(makeFight);
