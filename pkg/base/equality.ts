import { ExactInteger } from './exact-json.ts';
import { ownValue } from './own-values.ts';

/**
 * Deep equality of plain JSON values as they stand on the wire. A missing key, `undefined`, `null` and an empty array
 * are equal, since Go drops the one and writes the other for the same value. `{}` is not nothing: `emptyDir: {}` says
 * something. Compare what the API server sent, or what is shaped as it would send it (no zero values it omits).
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => semanticEqual(item, b[i]));
  }
  if (Array.isArray(b)) return false;
  if (a instanceof ExactInteger || b instanceof ExactInteger) return isSameInteger(a, b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key of Object.keys(left)) if (!semanticEqual(ownValue(left, key), ownValue(right, key))) return false;
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key) && !isEmpty(ownValue(right, key))) return false;
  return true;
}

function isSameInteger(a: object, b: object): boolean {
  return a instanceof ExactInteger && b instanceof ExactInteger && a.source === b.source;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Freezes a plain JSON value all the way down and returns it. For tests: what is cached must never be written to. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
