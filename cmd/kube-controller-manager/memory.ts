import { setFlagsFromString } from 'node:v8';

/**
 * By how much the old generation may grow, percent, before it is collected again. V8 lets it double and more, which pays
 * where memory is free; a manager keeps little garbage that lives long.
 */
const GROWTH = 60;

/** Keeps the old generation near to what is in use. The young one has its size from the command line (`node-flags.ts`). */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
}
