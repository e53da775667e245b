/** Event recorder with aggregation and spam limits. */
export type * from './types.ts';
