import type { JsonObject } from '../json.ts';
import type { ObjectSchema } from '../schema/index.ts';
import { mergePatch } from './merge-patch.ts';

/** Kubernetes' strategic merge patch. Neither argument is changed. Throws an ApiError (BadRequest, Invalid). */
export function strategicMergePatch(_schema: ObjectSchema, document: JsonObject, patch: JsonObject): JsonObject {
  return mergePatch(document, patch);
}
