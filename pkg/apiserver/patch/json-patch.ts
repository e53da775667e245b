import { ApiError } from '#pkg/api';
import { type Operation, applyPatch } from 'rfc6902';
import { type JsonObject, cloneJson } from '../json.ts';

/** RFC 6902. Throws an ApiError (Invalid) where the patch does not fit the document, as upstream answers 422. */
export function jsonPatch(document: JsonObject, operations: unknown): JsonObject {
  const result = cloneJson(document);
  for (const error of applyPatch(result, operations as Operation[])) {
    if (error !== null) {
      throw new ApiError({ status: 'Failure', message: `the server rejected our request due to an error in our request`, reason: 'Invalid', code: 422 });
    }
  }
  return result;
}
