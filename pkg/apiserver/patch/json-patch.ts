import { type Operation, Pointer, applyPatch } from 'rfc6902';
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
  if (typeof path !== 'string' || !path.startsWith('/')) return false;
  try {
    let lenient = operation;
    if (op === 'replace' && isMissingKey(document, path)) lenient = { ...operation, op: 'add' };
    if (op === 'copy' && typeof from === 'string' && isMissingKey(document, from))
      lenient = { op: 'add', path, value: null };
    if (op === 'test' && isMissingKey(document, path)) return (operation['value'] ?? null) === null;
    return applyPatch(document, [cloneJson(lenient) as unknown as Operation]).every((error) => error === null);
  } catch {
    return false;
  }
}

/** A key of an object that is there, not in it. */
function isMissingKey(document: JsonObject, path: string): boolean {
  const { parent, value } = Pointer.fromJSON(path).evaluate(document) as { parent: unknown; value: unknown };
  return isJsonObject(parent) && value === undefined;
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
