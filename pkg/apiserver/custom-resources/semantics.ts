import { semanticEqual } from '#pkg/base';
import { type DecodeOptions, type Decoded, type Findings, invalidPatch, normalizeObject, readObject } from '../decode/index.ts';
import { type JsonObject, cloneJson, ensureObject, isJsonObject, numberAt, objectAt } from '../json.ts';
import { badRequest } from '../refusals.ts';
import type { KindSemantics } from '../registry/semantics.ts';
import type { ObjectSchema } from '../schema/index.ts';
import type { FieldError } from '../validation/index.ts';
import { tablePrinter } from './columns.ts';
import { fillDefaults } from './defaulting.ts';
import type { Column, Definition, Version } from './definition.ts';
import { coerceEmbedded } from './list-rules.ts';
import { objectMeta } from './object-schema.ts';
import { pruneNulls, pruneUnknown } from './pruning.ts';
import { checkNew, checkUpdated } from './rules.ts';
import type { Structural } from './structural.ts';

/** One version of a custom kind, with all that its definition says of its objects. */
export interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly structural: Structural;
  readonly preserveUnknownFields: boolean;
  readonly hasStatus: boolean;
  readonly scale?: Readonly<JsonObject>;
  readonly columns: readonly Column[];
}

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
    toTable: tablePrinter(kind.columns),
  };
}

/** Metadata is of Go's struct, everything else as the definition has it; in place. Returns what is not known. */
export function coerce(kind: CustomKind, object: JsonObject, findings: Findings, duplicates: ReadonlySet<string> = new Set()): void {
  const { kind: name, apiVersion, metadata } = object;
  const said = Object.entries({ kind: name, apiVersion, metadata }).filter(([, value]) => value !== undefined);
  Object.assign(object, normalizeObject(ENVELOPE, Object.fromEntries(said), findings, duplicates));
  if (!kind.preserveUnknownFields) {
    findings.strict.push(...pruneUnknown(object, kind.structural).map((path) => `unknown field "${path}"`));
    pruneNulls(object, kind.structural);
  }
  coerceEmbedded(object, kind.structural);
}

const STRING = { type: 'scalar', scalar: 'string', goType: 'string' } as const;
const COMMON = { required: false, listType: 'atomic', listMapKeys: [], atomic: false, patchStrategy: [], presence: 'omitempty' } as const;
const ENVELOPE: ObjectSchema = {
  name: 'unstructured',
  goType: 'unstructured',
  atomic: false,
  fields: new Map([
    ['kind', { ...COMMON, name: 'kind', value: STRING }],
    ['apiVersion', { ...COMMON, name: 'apiVersion', value: STRING }],
    ['metadata', { ...COMMON, name: 'metadata', value: { type: 'object', schema: objectMeta() } }],
  ]),
};

function decode(kind: CustomKind, body: unknown, options: DecodeOptions): Decoded {
  const { value, duplicates } = readObject(kind.kind, body, options);
  const object = cloneJson(value);
  const strict = Array.from(duplicates, (path) => `duplicate field "${path}"`);
  const findings: Findings = { strict };
  coerce(kind, object, findings);
  const handled = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  if (findings.error !== undefined) throw badRequest(`${handled}: ${findings.error}`);
  if (options.strict === 'Strict' && strict.length > 0) throw badRequest(`${handled}: strict decoding error: ${strict.join(', ')}`);
  return { object, warnings: options.strict === 'Warn' ? strict : [] };
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

function prepareForUpdate(kind: CustomKind, object: JsonObject, old: JsonObject, subresource: string | undefined): void {
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
  Object.assign(object, cloneJson(old));
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
