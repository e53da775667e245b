import { isDeepStrictEqual } from 'node:util';

import { ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, isJsonObject } from '../json.ts';
import { badRequest, refusal } from '../refusals.ts';

/** Upstream's limit (`maxJSONPatchOperations`). */
const MAX_OPERATIONS = 10_000;

/**
 * RFC 6902 with the leniencies of the library that the API server uses: replacing a key that is not there adds it, and
 * copying or moving one that is not there gives null. Throws an ApiError: BadRequest for what is no patch, Invalid for one that
 * does not fit.
 */
export function jsonPatch(document: JsonObject, operations: unknown): JsonObject {
  if (!Array.isArray(operations)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${nameOf(operations)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (operations.length > MAX_OPERATIONS) {
    throw refusal(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  }
  const result = cloneJson(document);
  for (const operation of operations as unknown[]) {
    if (!isJsonObject(operation)) {
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${nameOf(operation)} into Go value of type handlers.jsonPatchOp`,
      );
    }
    if (!applyOne(result, operation)) {
      throw refusal(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
    }
  }
  return result;
}

function applyOne(document: JsonObject, operation: JsonObject): boolean {
  const { op, path, from } = operation;
  const to = pointer(path);
  if (to === undefined) return false;
  const value = cloneJson(operation['value'] ?? null);
  switch (op) {
    case 'add':
      return Object.hasOwn(operation, 'value') && add(document, to, value);
    case 'remove':
      return remove(document, to) !== MISSING;
    case 'replace':
      return Object.hasOwn(operation, 'value') && replace(document, to, value);
    case 'test': {
      const found = read(document, to);
      return found === MISSING ? isMissingKey(document, to) && value === null : isDeepStrictEqual(found, value);
    }
    case 'copy': {
      const source = pointer(from);
      const found = source && read(document, source);
      if (source === undefined || (found === MISSING && !isMissingKey(document, source))) return false;
      return add(document, to, found === MISSING ? null : cloneJson(found));
    }
    case 'move': {
      const source = pointer(from);
      const found = source && remove(document, source);
      return source !== undefined && found !== MISSING && add(document, to, found);
    }
    default:
      return false;
  }
}

/** What {@link read} and {@link remove} return where there is nothing. */
const MISSING = Symbol('missing');
type Found = unknown;

/** The tokens of a JSON pointer (RFC 6901) to something below the document; undefined for what is none. */
function pointer(text: unknown): readonly string[] | undefined {
  if (typeof text !== 'string' || !text.startsWith('/')) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, path: readonly string[]): Found {
  return path.reduce<Found>((value, token) => child(value, token), document);
}

function child(value: Found, token: string): Found {
  if (Array.isArray(value)) {
    const index = indexIn(token, value.length);
    return index !== undefined && index < value.length ? value[index] : MISSING;
  }
  return isJsonObject(value) && Object.hasOwn(value, token) ? ownValue(value, token) : MISSING;
}

/** A key of an object that is there, not in it. */
function isMissingKey(document: JsonObject, path: readonly string[]): boolean {
  const parent = read(document, path.slice(0, -1));
  return isJsonObject(parent) && !Object.hasOwn(parent, path.at(-1)!);
}

/** An index of a list of `length`; negative ones count from its end. */
function indexIn(token: string, length: number): number | undefined {
  if (!/^[-+]?\d{1,9}$/.test(token)) return undefined;
  const index = Number(token);
  const counted = index < 0 ? index + length : index;
  return counted < 0 ? undefined : counted;
}

function add(document: JsonObject, path: readonly string[], value: unknown): boolean {
  const parent = read(document, path.slice(0, -1));
  const last = path.at(-1)!;
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : indexIn(last, parent.length + 1);
    if (index === undefined || index > parent.length) return false;
    parent.splice(index, 0, value);
    return true;
  }
  if (!isJsonObject(parent)) return false;
  setOwnValue(parent, last, value);
  return true;
}

function replace(document: JsonObject, path: readonly string[], value: unknown): boolean {
  const parent = read(document, path.slice(0, -1));
  if (!Array.isArray(parent)) return add(document, path, value);
  const index = indexIn(path.at(-1)!, parent.length);
  if (index === undefined || index >= parent.length) return false;
  parent[index] = value;
  return true;
}

/** Takes out what is at `path` and returns it. */
function remove(document: JsonObject, path: readonly string[]): Found {
  const parent = read(document, path.slice(0, -1));
  const last = path.at(-1)!;
  const found = child(parent, last);
  if (found === MISSING) return MISSING;
  if (Array.isArray(parent)) parent.splice(indexIn(last, parent.length)!, 1);
  else if (isJsonObject(parent)) delete parent[last];
  return found;
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
