/**
 * What the server makes of an object between decoding and validating, kind by kind: who may write which half, and when the
 * generation counts up (`pkg/registry/<group>/<resource>/strategy.go`, `rest.BeforeCreate`, `rest.BeforeUpdate`).
 */
import { semanticEqual, ownValue, setOwnValue } from '#pkg/base';
import { zeroObject } from '../decode/index.ts';
import { type JsonObject, cloneJson, ensureObject, isJsonObject, numberAt } from '../json.ts';
import { type ObjectType, schemaFor, servedResources } from '../schema/index.ts';
import { strategyOf } from './kinds.ts';
import type { PrepareContext, Strategy } from './strategy.ts';

export type { PrepareContext, UserInfo } from './strategy.ts';
export { podQosClass } from './pods.ts';

/**
 * Makes a decoded, defaulted object ready to be stored for the first time; in place. Its name and uid are set already: the
 * selector of a Job is made of them.
 */
export function prepareForCreate(type: ObjectType, object: JsonObject, context: PrepareContext = {}): void {
  const strategy = strategyOf(type);
  if (hasStatus(type) && !strategy.keepsStatusOnCreate) resetStatus(type, object);
  const metadata = ensureObject(object, 'metadata');
  if (strategy.generation !== undefined) metadata['generation'] = 1;
  strategy.create?.(object, context);
}

/**
 * Makes an update ready to be stored in place of `old`: what the request may not change is taken from `old`; in place. A
 * scale is written as a plain update of its parent.
 */
export function prepareForUpdate(
  type: ObjectType,
  object: JsonObject,
  old: JsonObject,
  subresource?: string,
  context: PrepareContext = {},
): void {
  const strategy = strategyOf(type);
  const metadata = ensureObject(object, 'metadata');
  const oldMetadata = ensureObject(old, 'metadata');
  copyField(metadata, oldMetadata, 'generation');
  const ofSubresource = subresource === undefined ? undefined : ownValue(strategy.subresources, subresource);
  if (subresource === undefined || subresource === 'scale') {
    if (hasStatus(type)) copyField(object, old, 'status');
    strategy.update?.(object, old, context);
    bumpGeneration(strategy, object, old);
  } else if (ofSubresource !== undefined) {
    ofSubresource(object, old, context);
    if (subresource !== 'status') bumpGeneration(strategy, object, old);
  } else if (subresource === 'status') {
    copyField(object, old, 'spec');
  }
  keepSystemFields(metadata, oldMetadata);
}

function keepSystemFields(metadata: JsonObject, old: JsonObject): void {
  metadata['uid'] ||= old['uid'];
  if (old['creationTimestamp'] !== undefined) metadata['creationTimestamp'] = old['creationTimestamp'];
  if (old['deletionTimestamp'] !== undefined) metadata['deletionTimestamp'] = old['deletionTimestamp'];
  if (old['deletionGracePeriodSeconds'] !== undefined)
    metadata['deletionGracePeriodSeconds'] ??= old['deletionGracePeriodSeconds'];
}

function bumpGeneration(strategy: Strategy, object: JsonObject, old: JsonObject): void {
  if (strategy.generation === undefined) return;
  if (strategy.generation.every((part) => semanticEqual(at(object, part), at(old, part)))) return;
  const metadata = ensureObject(object, 'metadata');
  metadata['generation'] = (numberAt(old['metadata'], 'generation') ?? 0) + 1;
}

function at(object: JsonObject, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isJsonObject(value) ? ownValue(value, key) : undefined), object);
}

function copyField(object: JsonObject, old: JsonObject, key: string): void {
  if (ownValue(old, key) === undefined) delete object[key];
  else setOwnValue(object, key, cloneJson(ownValue(old, key)));
}

let withStatus: ReadonlySet<string> | undefined;

/** Whether the kind's status is written through a subresource of its own. */
function hasStatus(type: ObjectType): boolean {
  withStatus ??= new Set(
    servedResources()
      .filter((resource) => resource.subresources.some(({ name }) => name === 'status'))
      .map(({ group, kind }) => `${group}/${kind}`),
  );
  return withStatus.has(`${type.group}/${type.kind}`);
}

function resetStatus(type: ObjectType, object: JsonObject): void {
  const status = schemaFor(type.group, type.version, type.kind)?.fields.get('status');
  if (status?.value.type === 'object' && status.presence === 'always')
    object['status'] = zeroObject(status.value.schema);
  else delete object['status'];
}
