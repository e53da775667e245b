import { type JsonObject, cloneJson, isJsonObject } from '../json.ts';

/** RFC 7386. Neither argument is changed. */
export function mergePatch(document: JsonObject, patch: unknown): JsonObject {
  return merge(document, patch) as JsonObject;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return cloneJson(patch);
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
