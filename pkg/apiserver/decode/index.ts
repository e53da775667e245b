import { parseJson } from '#pkg/base';
/**
 * From a request's body to an object of its schema, with the answers that clients know when it is not one.
 *
 *     const { object, warnings } = decodeObject(schemaFor('apps', 'v1', 'Deployment')!, body, { strict: 'Warn' });
 *
 * Not for the configuration of a server-side apply, where a field that is written out as zero is still an opinion: that is
 * {@link parseBody} and then `apply`.
 */
import { load } from 'js-yaml';
import { type JsonObject, isJsonObject } from '../json.ts';
import { badRequest, refusal } from '../refusals.ts';
import type { ObjectSchema } from '../schema/index.ts';
import { type Findings, normalizeObject } from './normalize.ts';
import { describe } from './scalars.ts';
import { scanJson } from './scan.ts';

export { normalizeObject, zeroObject } from './normalize.ts';
export type { Findings } from './normalize.ts';
export { describe } from './scalars.ts';
export { type Scan, scanJson } from './scan.ts';
export { type Quantity, canonicalQuantity, formatQuantity, parseQuantity } from './quantity.ts';

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
 * Reads a body as an object of `schema`, as it comes out of Go's typed structs: unknown fields, nulls and zero values that
 * are not written are gone, quantities and times canonical. Give the text where there is one, since only in the text can
 * duplicate fields be seen; a parsed value (the result of a patch) is taken as well. Throws an ApiError (BadRequest).
 */
export function decodeObject(schema: ObjectSchema, body: unknown, options: DecodeOptions): Decoded {
  const kind = schema.name.slice(schema.name.lastIndexOf('.') + 1);
  const { value, duplicates } = readObject(kind, body, options);
  const findings: Findings = { strict: [] };
  const object = normalizeObject(schema, value, findings, duplicates);
  const version = /\.(v[^.]+)\.[^.]+$/.exec(schema.name)?.[1] ?? 'v1';
  const handled = `${kind} in version "${version}" cannot be handled as a ${kind}`;
  if (findings.error !== undefined) throw badRequest(`${handled}: ${findings.error}`);
  if (options.strict === 'Strict' && findings.strict.length > 0) {
    throw badRequest(`${handled}: strict decoding error: ${findings.strict.join(', ')}`);
  }
  return { object, warnings: options.strict === 'Warn' ? findings.strict : [] };
}

/** Reads a body as a JSON object of whatever form, and finds the keys that its text gives twice. Throws an ApiError (BadRequest). */
export function readObject(
  kind: string,
  body: unknown,
  options: DecodeOptions,
): { readonly value: JsonObject; readonly duplicates: ReadonlySet<string> } {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : body;
  let duplicates: ReadonlySet<string> = new Set();
  let value: unknown = text;
  if (typeof text === 'string') {
    value = parseText(text, kind);
    if (options.strict !== 'Ignore' && mayRepeatKeys(text, value)) duplicates = scanJson(text).duplicates;
  }
  if (!isJsonObject(value))
    throw unrecognized(kind, UNREADABLE + notAStruct(value), typeof text === 'string' ? text : JSON.stringify(text));
  return { value, duplicates };
}

/** Refuses the result of a patch: Invalid, with `shown` as what is wrong. */
export function invalidPatch(shown: string, error: string): Error {
  const message = `Invalid value: ${JSON.stringify(shown)}: ${error}`;
  return refusal(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  });
}

/** Whether the text has more that looks like a key than the value has keys. Spares most bodies a slow scan. */
function mayRepeatKeys(text: string, value: unknown): boolean {
  const written = text.match(/[^\\]"\s*:/g)?.length ?? 0;
  return written !== countKeys(value);
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const children: unknown[] = Object.values(value);
  let count = Array.isArray(value) ? 0 : children.length;
  for (const child of children) count += countKeys(child);
  return count;
}

/**
 * Reads the result of a patch as an object of `schema`. What is wrong with it is the patch's fault, so it is refused as
 * Invalid rather than as a bad request. The refusal quotes the whole result, or of a strategic merge patch, which is to be given
 * for that, the patch.
 */
export function decodePatched(
  schema: ObjectSchema,
  patched: JsonObject,
  options: DecodeOptions,
  patch?: unknown,
): Decoded {
  const findings: Findings = { strict: [] };
  const object = normalizeObject(schema, patched, findings, new Set());
  const strict = options.strict === 'Strict' && findings.strict.length > 0;
  const error = findings.error ?? (strict ? `strict decoding error: ${findings.strict.join(', ')}` : undefined);
  if (error !== undefined) {
    throw invalidPatch(patch === undefined ? JSON.stringify(patched) : printGo(patch), error);
  }
  return { object, warnings: options.strict === 'Warn' ? findings.strict : [] };
}

/** Prints a value as Go prints a map: `map[spec:map[replicas:x]]`. */
export function printGo(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printGo).join(' ')}]`;
  if (!isJsonObject(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, child]) => `${key}:${printGo(child)}`).join(' ')}]`;
}

/** Parses a text as JSON, or as YAML where the media type says so. Throws an ApiError (BadRequest). */
export function parseBody(text: string, mediaType: string, kind = 'Object'): unknown {
  if (!mediaType.includes('yaml')) return parseText(text, kind);
  try {
    return parseJson(text);
  } catch {
    // Not JSON, so YAML proper.
  }
  try {
    return load(text);
  } catch (error) {
    throw badRequest(
      `error converting YAML to JSON: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    );
  }
}

function parseText(text: string, kind: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw unrecognized(kind, `${UNREADABLE}${scanJson(text).error ?? 'invalid JSON'}`, text);
  }
}

const UNREADABLE = "couldn't get version/kind; json parse error: ";

function notAStruct(value: unknown): string {
  return `json: cannot unmarshal ${describe(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
}

/** Upstream shows the start of the body: as text where it looks like an object, else in hexadecimal. */
export function unrecognized(kind: string, why: string, text: string): Error {
  const shown = text === '' ? '<empty>' : excerpt(text);
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${shown})`);
}

function excerpt(text: string): string {
  const printed = text.startsWith('{') ? text : Buffer.from(text).toString('hex');
  return printed.length > 30 ? `${printed.slice(0, 30)} ...` : printed;
}
