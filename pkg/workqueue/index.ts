/** The keyed, de-duplicating, delaying, rate-limited work queue on which every controller stands. */
export type * from './types.ts';
