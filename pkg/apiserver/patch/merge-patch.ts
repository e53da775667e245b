import { ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, isJsonObject } from '../json.ts';
import { badRequest } from '../refusals.ts';

/** RFC 7386. Neither argument is changed. Throws an ApiError (BadRequest) where the patch is no object. */
export function mergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) {
    const found = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  return merge(document, patch) as JsonObject;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return cloneJson(patch);
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else setOwnValue(result, key, merge(ownValue(result, key), value));
  }
  return result;
}
