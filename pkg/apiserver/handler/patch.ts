import { formatTime, ownValue, parseJson } from '#pkg/base';
import { parseBody } from '../decode/index.ts';
import { scanJson } from '../decode/scan.ts';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, isJsonObject, stringAt } from '../json.ts';
import { apply } from '../managed-fields/index.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../patch/index.ts';
import { badRequest, notFound, refusal, unsupportedMediaType } from '../refusals.ts';
import type { Resource } from '../registry/registry.ts';
import type { ObjectSchema } from '../schema/index.ts';
import type { Entry } from '../store/index.ts';
import { type Call, keyOf } from './call.ts';
import { parseMediaType, textOf } from './negotiate.ts';
import { respondEntry } from './respond.ts';
import { type WriteQuery, parseWriteQuery } from './write-options.ts';
import { checkType, createObject, updateObject } from './write.ts';

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

/** What is patched: a resource, or one of its subresources of another kind. */
export type PatchTarget = Pick<Resource, 'schema' | 'semantics'>;

const KINDS: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export function patchKind(call: Call): PatchKind {
  const kind = ownValue(KINDS, parseMediaType(call.request.headers['content-type'] ?? '').type);
  if (kind === 'strategic' && call.resource.custom !== undefined)
    throw unsupportedMediaType(Object.keys(KINDS).filter((type) => ownValue(KINDS, type) !== kind));
  if (kind === undefined) throw refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  return kind;
}

export function patch(call: Call): ApiResponse {
  const kind = patchKind(call);
  const query = parseWriteQuery(call, 'PatchOptions');
  if (kind === 'apply') return applyPatch(call, query);
  if (query.force)
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  const current = call.core.store.get(call.resource.storage, keyOf(call, call.name!));
  if (current === undefined) throw notFound(call.resource, call.name!);
  const old = cloneJson<JsonObject>(call.resource.conversion?.fromStored(current.object) ?? current.object);
  const object = patched(call, kind, call.resource, old, query);
  checkType(object, call.resource);
  checkName(call, object);
  return respondEntry(call, updateObject(call, object, query));
}

/** What a patch makes of `old`, as an object of the schema. */
export function patched(
  call: Call,
  kind: Exclude<PatchKind, 'apply'>,
  target: PatchTarget,
  old: JsonObject,
  query: WriteQuery,
): JsonObject {
  const body = parsePatch(textOf(call.request.body));
  const result = patchWith(kind, target.schema, old, body);
  if (!isJsonObject(result)) throw refusal(422, 'Invalid', 'the patch does not result in an object');
  const decoded = target.semantics.decodePatched(result, { strict: query.fieldValidation });
  call.warnings.push(...decoded.warnings);
  return decoded.object;
}

function patchWith(kind: Exclude<PatchKind, 'apply'>, schema: ObjectSchema, old: JsonObject, body: unknown): unknown {
  if (kind === 'json') {
    if (!Array.isArray(body))
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${typeof body} into Go value of type []handlers.jsonPatchOp`,
      );
    return jsonPatch(old, body);
  }
  if (!isJsonObject(body)) {
    const shape = Array.isArray(body) ? 'array' : typeof body;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${shape} into Go value of type map[string]interface {}`,
    );
  }
  return kind === 'merge' ? mergePatch(old, body) : strategicMergePatch(schema, old, body);
}

function parsePatch(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw badRequest(`error decoding patch: ${scanJson(text).error ?? 'invalid JSON'}`);
  }
}

function checkName(call: Call, object: JsonObject): void {
  const name = stringAt(object['metadata'], 'name') ?? '';
  if (name !== call.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
  const namespace = stringAt(object['metadata'], 'namespace') ?? '';
  const unsaid = namespace === '' && call.resource.custom !== undefined;
  if (call.resource.namespaced && namespace !== call.namespace && !unsaid) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** Server-side apply: creates what is not there. */
function applyPatch(call: Call, query: WriteQuery): ApiResponse {
  const { core, resource } = call;
  if (!call.query.get('fieldManager')) {
    throw refusal(
      422,
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          },
        ],
      },
    );
  }
  const config = parseBody(textOf(call.request.body), 'application/yaml', resource.kind);
  if (!isJsonObject(config)) throw badRequest('error decoding YAML: the applied configuration is not an object');
  checkApplied(call, config);
  const stored = core.store.get(resource.storage, keyOf(call, call.name!));
  if (stored === undefined && call.subresource !== undefined) throw notFound(resource, call.name!);
  const live = stored && cloneJson<JsonObject>(resource.conversion?.fromStored(stored.object) ?? stored.object);
  const { object, managedFields } = apply({
    schema: resource.schema,
    ...(live === undefined ? {} : { live }),
    config,
    manager: query.fieldManager,
    force: query.force,
    ...(call.subresource === undefined ? {} : { subresource: call.subresource }),
    time: formatTime(core.clock.now()),
  });
  const decoded = resource.semantics.decodePatched(object, { strict: query.fieldValidation });
  call.warnings.push(...decoded.warnings);
  const result = decoded.object;
  const metadata = ensureObject(result, 'metadata');
  metadata['managedFields'] = managedFields;
  metadata['name'] ??= call.name;
  if (stored === undefined) return respondEntry(call, createObject(call, result, query, true), 201);
  const wanted = stringAt(config['metadata'], 'resourceVersion');
  metadata['resourceVersion'] = wanted ?? String(stored.revision);
  return respondEntry(call, updateObject(call, result, query, true));
}

function checkApplied(call: Call, config: JsonObject): void {
  const { resource } = call;
  if (stringAt(config, 'kind') === undefined || stringAt(config, 'apiVersion') === undefined) {
    const [version = '', group = ''] = (stringAt(config, 'apiVersion') ?? '').split('/').toReversed();
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${stringAt(config, 'kind') ?? ''}`);
  }
  if (
    resource.custom !== undefined &&
    (config['kind'] !== resource.kind || config['apiVersion'] !== resource.apiVersion)
  ) {
    throw badRequest(`invalid object type: ${stringAt(config, 'apiVersion')}, Kind=${stringAt(config, 'kind')}`);
  }
  checkType(config, resource);
  const metadata = ensureObject(config, 'metadata');
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  metadata['name'] ??= call.name;
  // What a custom resource's configuration does not say it is not given to say.
  if (resource.namespaced && resource.custom === undefined) metadata['namespace'] ??= call.namespace;
  checkName(call, config);
}

export function entryObject(call: Call, entry: Entry): JsonObject {
  return cloneJson<JsonObject>(call.resource.conversion?.fromStored(entry.object) ?? entry.object);
}
