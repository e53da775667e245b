import { type JsonObject, ensureObject } from '../json.ts';
import { semanticEqual } from '#pkg/base';
import type { ObjectType } from '../schema/index.ts';

/** Makes a decoded, defaulted object ready to be stored for the first time; in place. */
export function prepareForCreate(_type: ObjectType, object: JsonObject): void {
  delete object['status'];
  ensureObject(object, 'metadata')['generation'] = 1;
}

/** Makes an update ready to be stored in place of `old`: what the request may not change is taken from `old`; in place. */
export function prepareForUpdate(_type: ObjectType, object: JsonObject, old: JsonObject, subresource?: string): void {
  if (subresource === 'status') object['spec'] = old['spec'];
  else object['status'] = old['status'];
  const generation = Number(ensureObject(old, 'metadata')['generation'] ?? 0);
  ensureObject(object, 'metadata')['generation'] = semanticEqual(object['spec'], old['spec']) ? generation : generation + 1;
}
