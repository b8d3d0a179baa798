import type { Line } from './measure.ts';
export const frameLines = (): Line[] => [];
