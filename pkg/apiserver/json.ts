import { ExactInteger, ownValue, setOwnValue } from '#pkg/base';

/** A mutable plain JSON object, as the server works on between decoding and storing. */
export type JsonObject = { [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactInteger);
}

/** A deep copy of plain JSON; several times faster than `structuredClone` on API objects. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof ExactInteger) return value;
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setOwnValue(copy, key, cloneJson(ownValue(value as JsonObject, key)));
  return copy as T;
}

/** The object under `key`, or undefined where it is missing or of another type. */
export function objectAt(parent: unknown, key: string): JsonObject | undefined {
  if (!isJsonObject(parent)) return undefined;
  const value = ownValue(parent, key);
  return isJsonObject(value) ? value : undefined;
}

/** The list under `key`; empty where it is missing or of another type. */
export function listAt(parent: unknown, key: string): unknown[] {
  if (!isJsonObject(parent)) return [];
  const value = ownValue(parent, key);
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The objects of the list under `key`. */
export function objectsAt(parent: unknown, key: string): JsonObject[] {
  return listAt(parent, key).filter(isJsonObject);
}

export function stringAt(parent: unknown, key: string): string | undefined {
  const value = isJsonObject(parent) ? ownValue(parent, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The number under `key`, the nearest double where it is an integer that no double holds. */
export function numberAt(parent: unknown, key: string): number | undefined {
  const value = isJsonObject(parent) ? ownValue(parent, key) : undefined;
  if (value instanceof ExactInteger) return value.valueOf();
  return typeof value === 'number' ? value : undefined;
}

/** The object under `key`, made when missing. */
export function ensureObject(parent: JsonObject, key: string): JsonObject {
  const value = ownValue(parent, key);
  if (isJsonObject(value)) return value;
  const made: JsonObject = {};
  setOwnValue(parent, key, made);
  return made;
}
