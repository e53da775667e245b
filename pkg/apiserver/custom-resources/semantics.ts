import { semanticEqual, setOwnValue } from '#pkg/base';
import {
  type DecodeOptions,
  type Decoded,
  type Findings,
  describe,
  invalidPatch,
  normalizeObject,
  readObject,
  unrecognized,
} from '../decode/index.ts';
import { type JsonObject, cloneJson, ensureObject, isJsonObject, numberAt, objectAt, stringAt } from '../json.ts';
import { badRequest } from '../refusals.ts';
import type { KindSemantics } from '../registry/semantics.ts';
import type { FieldError } from '../validation/errors.ts';
import { tablePrinter } from './columns.ts';
import { fillDefaults } from './defaulting.ts';
import type { CustomKind } from './custom-kind.ts';
import type { Definition, Version } from './definition.ts';
import { coerceEmbedded } from './list-rules.ts';
import { objectMeta } from './object-schema.ts';
import { pruneNulls, pruneUnknown } from './pruning.ts';
import { checkNew, checkUpdated } from './rules.ts';
import type { Structural } from './structural.ts';
import { finalizerWarnings } from './warnings.ts';

export function customKind(definition: Definition, version: Version, structural: Structural): CustomKind {
  const { group, accepted, preserveUnknownFields } = definition;
  return {
    group,
    version: version.name,
    kind: accepted.kind,
    apiVersion: `${group}/${version.name}`,
    structural,
    preserveUnknownFields,
    hasStatus: version.hasStatus,
    ...(version.scale === undefined ? {} : { scale: version.scale }),
    columns: version.columns,
  };
}

/** What objects of a custom kind mean (`apiextensions-apiserver/pkg/registry/customresource`). */
export function customSemantics(kind: CustomKind): KindSemantics {
  return {
    decode: (body, options) => decode(kind, body, options),
    decodePatched: (patched, options) => decodeResult(kind, patched, options),
    applyDefaults: (object) => fillDefaults(object, kind.structural),
    prepareForCreate(object) {
      if (kind.hasStatus) delete object['status'];
      ensureObject(object, 'metadata')['generation'] = 1;
    },
    prepareForUpdate: (object, old, subresource) => prepareForUpdate(kind, object, old, subresource),
    validateCreate: (object) => checkNew(kind, object),
    validateUpdate: (object, old, subresource): FieldError[] => checkUpdated(kind, object, old, subresource),
    warningsFor: finalizerWarnings,
    toTable: tablePrinter(kind.columns),
  };
}

/** Metadata is of Go's struct, everything else as the definition has it; in place. Returns what is not known. */
export function coerce(kind: CustomKind, object: JsonObject, findings: Findings): void {
  const { metadata } = object;
  if (isJsonObject(metadata)) {
    const own: Findings = { strict: [] };
    object['metadata'] = normalizeObject(objectMeta(), metadata, own, new Set());
    if (own.error !== undefined) findings.error ??= own.error;
    findings.strict.push(...own.strict.map((text) => text.replace('field "', 'field "metadata.')));
  } else if (metadata !== undefined)
    findings.error ??= `json: cannot unmarshal ${describe(metadata)} into Go value of type v1.ObjectMeta`;
  if (!kind.preserveUnknownFields) {
    findings.strict.push(...pruneUnknown(object, kind.structural).map((path) => `unknown field "${path}"`));
    pruneNulls(object, kind.structural);
  }
  coerceEmbedded(object, kind.structural);
}

function decode(kind: CustomKind, body: unknown, options: DecodeOptions): Decoded {
  const { value, duplicates } = readObject(kind.kind, body, options);
  const object = cloneJson(value);
  for (const [key, name] of [
    ['kind', 'Kind'],
    ['apiVersion', 'apiVersion'],
  ] as const) {
    if ((stringAt(object, key) ?? '') === '')
      throw unrecognized(kind.kind, `Object '${name}' is missing in '${textOf(body)}'`, textOf(body));
  }
  checkVersion(kind, object);
  const strict = Array.from(duplicates, (path) => `duplicate field "${path}"`);
  const findings: Findings = { strict };
  coerce(kind, object, findings);
  const handled = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  if (findings.error !== undefined) throw badRequest(`${handled}: ${findings.error}`);
  if (options.strict === 'Strict' && strict.length > 0)
    throw badRequest(`${handled}: strict decoding error: ${strict.join(', ')}`);
  return { object, warnings: options.strict === 'Warn' ? strict : [] };
}

function textOf(body: unknown): string {
  return body instanceof Uint8Array
    ? Buffer.from(body).toString('utf8')
    : typeof body === 'string'
      ? body
      : JSON.stringify(body);
}

function checkVersion({ apiVersion }: CustomKind, object: JsonObject): void {
  const given = stringAt(object, 'apiVersion') ?? '';
  if (given !== apiVersion)
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersion})`);
}

function decodeResult(kind: CustomKind, patched: JsonObject, options: DecodeOptions): Decoded {
  const object = cloneJson(patched);
  const findings: Findings = { strict: [] };
  coerce(kind, object, findings);
  const strict = options.strict === 'Strict' && findings.strict.length > 0;
  const error = findings.error ?? (strict ? `strict decoding error: ${findings.strict.join(', ')}` : undefined);
  if (error !== undefined) throw invalidPatch(JSON.stringify(sortKeys(patched)), error);
  return { object, warnings: options.strict === 'Warn' ? findings.strict : [] };
}

/** Go writes the keys of maps in order. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sortKeys(child)]));
}

function prepareForUpdate(
  kind: CustomKind,
  object: JsonObject,
  old: JsonObject,
  subresource: string | undefined,
): void {
  const metadata = ensureObject(object, 'metadata');
  if (subresource === 'status') {
    keepAllButStatus(object, old);
    return;
  }
  if (kind.hasStatus) {
    if (old['status'] === undefined) delete object['status'];
    else object['status'] = cloneJson(old['status']);
  }
  const before = numberAt(old['metadata'], 'generation') ?? 0;
  metadata['generation'] = semanticEqual(withoutMetadata(object), withoutMetadata(old)) ? before : before + 1;
}

/** What a write of the status can change: the status, and who owns it. */
function keepAllButStatus(object: JsonObject, old: JsonObject): void {
  const status = object['status'];
  const managedFields = objectAt(object, 'metadata')?.['managedFields'];
  for (const key of Object.keys(object)) delete object[key];
  for (const [key, value] of Object.entries(cloneJson(old))) setOwnValue(object, key, value);
  const metadata = ensureObject(object, 'metadata');
  if (managedFields === undefined) delete metadata['managedFields'];
  else metadata['managedFields'] = managedFields;
  if (status === undefined) delete object['status'];
  else object['status'] = status;
}

function withoutMetadata(object: JsonObject): JsonObject {
  const { metadata: _metadata, ...rest } = object;
  return rest;
}
