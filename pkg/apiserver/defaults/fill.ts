import { ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson } from '../json.ts';

/** Missing, or the zero value that Go cannot tell from missing. */
export function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || value === 0 || (Array.isArray(value) && value.length === 0)
  );
}

/** Sets what is missing; a zero that is there stays, as behind a pointer in Go. */
export function fill(object: JsonObject, defaults: JsonObject): void {
  for (const [key, value] of Object.entries(defaults)) {
    if (ownValue(object, key) === undefined || ownValue(object, key) === null)
      setOwnValue(object, key, cloneJson(value));
  }
}

/** Sets what is missing or zero, as for a plain value in Go. */
export function fillEmpty(object: JsonObject, defaults: JsonObject): void {
  for (const [key, value] of Object.entries(defaults))
    if (isEmpty(ownValue(object, key))) setOwnValue(object, key, cloneJson(value));
}
