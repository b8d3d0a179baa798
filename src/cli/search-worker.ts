/** A worker thread of `netvsim explore` and `netvsim races`: the same devices, machines of its own. */
import { serve } from '../campaign/worker.ts';
import { makeSearched } from './searched.ts';

serve(makeSearched);
