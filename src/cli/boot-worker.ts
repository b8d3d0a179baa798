/** The process in which a guest is booted that is to be kept: see `vm/start.ts`. */
import { serveBoot } from '../vm/boot-process.ts';
import { CATALOGUE } from './model.ts';

serveBoot(CATALOGUE);
