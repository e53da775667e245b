import { type JsonObject, isJsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { qualifiedNameErrors } from '../validation/names.ts';
import { isKnownFormat } from './formats.ts';

/** Formats that a definition names and nobody knows; of an update, those that are new (`customresourcedefinition/strategy.go`). */
export function definitionWarnings(object: Readonly<JsonObject>, old?: Readonly<JsonObject>): string[] {
  const before = new Set(old === undefined ? [] : unknownFormats(old));
  return unknownFormats(object)
    .filter((format) => !before.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

function unknownFormats(object: Readonly<JsonObject>): string[] {
  const schemas = objectsAt(object['spec'], 'versions').map((version) =>
    JSON.stringify(objectAt(objectAt(version, 'schema'), 'openAPIV3Schema') ?? {}),
  );
  // What all versions have alike is told once.
  return [...new Set(schemas)].flatMap((schema) => formatsIn(JSON.parse(schema)));
}

function formatsIn(schema: unknown): string[] {
  if (!isJsonObject(schema)) return [];
  const format = stringAt(schema, 'format') ?? '';
  const own = format !== '' && !isKnownFormat(stringAt(schema, 'type') ?? '', format) ? [format] : [];
  const below = [
    schema['items'],
    schema['additionalProperties'],
    schema['not'],
    ...Object.values(objectAt(schema, 'properties') ?? {}),
  ];
  return [
    ...own,
    ...[...below, ...['allOf', 'anyOf', 'oneOf'].flatMap((key) => objectsAt(schema, key))].flatMap(formatsIn),
  ];
}

const STANDARD = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** Finalizers, new ones, that others might name alike (`customresource/validator.go`). */
export function finalizerWarnings(object: Readonly<JsonObject>, old?: Readonly<JsonObject>): string[] {
  const before = new Set(listAt(objectAt(old, 'metadata'), 'finalizers'));
  const added = listAt(object['metadata'], 'finalizers')
    .map(String)
    .filter((finalizer) => !before.has(finalizer));
  return [...new Set(added)].toSorted().flatMap((finalizer) => {
    const say = (words: string): string => `metadata.finalizers: ${JSON.stringify(finalizer)}: ${words}`;
    const wrong = qualifiedNameErrors(finalizer).map(say);
    if (finalizer.includes('/') || STANDARD.has(finalizer)) return wrong;
    const path = finalizer.includes('.') ? ' including a path (/)' : '';
    return [
      ...wrong,
      say(`prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`),
    ];
  });
}
