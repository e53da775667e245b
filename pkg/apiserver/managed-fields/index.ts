import type { JsonObject } from '../json.ts';
import { listAt } from '../json.ts';
import { mergePatch } from '../patch/index.ts';
import type { ObjectSchema } from '../schema/index.ts';

/** One entry of `metadata.managedFields`. */
export type ManagedFieldsEntry = {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: JsonObject;
  subresource?: string;
};

export interface ApplyOptions {
  readonly schema: ObjectSchema;
  /** The stored object; missing when the apply creates it. */
  readonly live?: JsonObject;
  /** The applied configuration, decoded. */
  readonly config: JsonObject;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource?: string;
  /** RFC 3339, of entries that change. */
  readonly time: string;
}

export interface TrackOptions {
  readonly schema: ObjectSchema;
  /** The stored object; missing on create. */
  readonly live?: JsonObject;
  /** The object about to be stored, defaults and all. */
  readonly object: JsonObject;
  readonly manager: string;
  readonly subresource?: string;
  readonly time: string;
}

/**
 * Server-side apply. The object returned carries its managed fields, but is not yet defaulted or validated. Throws an
 * ApiError (Conflict with one cause a field) unless forced.
 */
export function apply(options: ApplyOptions): { object: JsonObject; managedFields: ManagedFieldsEntry[] } {
  const object = mergePatch(options.live ?? {}, options.config);
  return { object, managedFields: listAt(object['metadata'], 'managedFields') as ManagedFieldsEntry[] };
}

/** The managed fields after a create, update or patch: `manager` owns what it changed. */
export function trackUpdate(options: TrackOptions): ManagedFieldsEntry[] {
  return listAt((options.live ?? options.object)['metadata'], 'managedFields') as ManagedFieldsEntry[];
}
