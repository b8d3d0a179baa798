/** A process of `netvsim boot --explore`: see `vm/explore/crew.ts`. */
import { serveExplorer } from '../vm/explore/crew.ts';
import { CATALOGUE } from './model.ts';

serveExplorer(CATALOGUE, new URL('./boot-worker.js', import.meta.url));
