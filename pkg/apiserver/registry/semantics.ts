import { definitionWarnings } from '../custom-resources/warnings.ts';
import { type DecodeOptions, type Decoded, decodeObject, decodePatched } from '../decode/index.ts';
import { applyDefaults } from '../defaults/index.ts';
import type { JsonObject } from '../json.ts';
import { type Table, type TableOptions, toTable } from '../printing/index.ts';
import type { ObjectSchema, ObjectType } from '../schema/index.ts';
import { type PrepareContext, prepareForCreate, prepareForUpdate } from '../strategies/index.ts';
import { type FieldError, validateCreate, validateUpdate } from '../validation/index.ts';

/**
 * What the objects of one kind mean to the handlers, which know only verbs. Built-in kinds have it from the tables of this
 * server, custom ones from their definitions. Objects are changed in place.
 */
export interface KindSemantics {
  /** Reads a body; throws an ApiError (BadRequest). */
  decode(body: unknown, options: DecodeOptions): Decoded;
  /** Reads the result of a patch; throws an ApiError (Invalid). */
  decodePatched(patched: JsonObject, options: DecodeOptions, patch?: unknown): Decoded;
  applyDefaults(object: JsonObject): void;
  prepareForCreate(object: JsonObject, context: PrepareContext): void;
  prepareForUpdate(object: JsonObject, old: JsonObject, subresource: string | undefined, context: PrepareContext): void;
  validateCreate(object: JsonObject): FieldError[];
  validateUpdate(object: JsonObject, old: JsonObject, subresource: string | undefined): FieldError[];
  /** What to warn of in an object that is fine; `old`: what it takes the place of. */
  warningsFor?(object: Readonly<JsonObject>, old?: Readonly<JsonObject>): string[];
  toTable(objects: readonly JsonObject[], options: TableOptions): Table;
}

export function builtInSemantics(type: ObjectType, schema: ObjectSchema): KindSemantics {
  return {
    decode: (body, options) => decodeObject(schema, body, options),
    decodePatched: (patched, options, patch) => decodePatched(schema, patched, options, patch),
    applyDefaults: (object) => applyDefaults(type.group, type.version, type.kind, object),
    prepareForCreate: (object, context) => prepareForCreate(type, object, context),
    prepareForUpdate: (object, old, subresource, context) => prepareForUpdate(type, object, old, subresource, context),
    validateCreate: (object) => validateCreate(type, object),
    validateUpdate: (object, old, subresource) => validateUpdate(type, object, old, subresource),
    ...(type.kind === 'CustomResourceDefinition' ? { warningsFor: definitionWarnings } : {}),
    toTable: (objects, options) => toTable(type, objects, options),
  };
}
