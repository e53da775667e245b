/** A positive decimal without leading zeros; `0` is not one, it only has a meaning in requests. */
const WELL_FORMED = /^[1-9]\d*$/;

/**
 * Orders two resource versions of one resource: negative, zero or positive, or undefined when either is not a positive
 * decimal number (KEP-5504; `resourceversion.CompareResourceVersion` of apimachinery). Of any length, so never a number.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (!WELL_FORMED.test(a) || !WELL_FORMED.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Whether a cache that has read up to `read` shows what was written at `written`. What cannot be compared counts as
 * shown, as upstream's consistency store has it: a strange server must not stop a controller for good.
 */
export function hasReached(read: string, written: string): boolean {
  if (read === '') return false;
  const order = compareResourceVersions(read, written);
  return order === undefined || order >= 0;
}
