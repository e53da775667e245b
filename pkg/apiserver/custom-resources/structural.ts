import { type JsonObject, isJsonObject, listAt, objectAt, stringAt } from '../json.ts';

/**
 * The structure that a definition's OpenAPI schema gives its objects: what may be there, and what is there where nothing is said
 * (`apiextensions-apiserver/pkg/apiserver/schema`). Value rules are read off `source` when a value is validated.
 */
export interface Structural {
  /** Empty where anything goes, or an integer or a string. */
  readonly type: string;
  readonly properties: ReadonlyMap<string, Structural>;
  /** The values of a map; `any` where the definition allows whatever values. */
  readonly additional?: Structural | 'any';
  readonly items?: Structural;
  /** Undefined where there is none. */
  readonly default?: unknown;
  readonly nullable: boolean;
  readonly preserve: boolean;
  readonly embedded: boolean;
  readonly intOrString: boolean;
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listMapKeys: readonly string[];
  readonly atomicMap: boolean;
  readonly source: Readonly<JsonObject>;
}

/** What every object has; the definition need not speak of it. */
export const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** Reads a schema as stored in a definition (`openAPIV3Schema`). */
export function readStructural(source: Readonly<JsonObject>): Structural {
  const additional = source['additionalProperties'];
  const items = objectAt(source, 'items');
  const listType = stringAt(source, 'x-kubernetes-list-type');
  return {
    type: stringAt(source, 'type') ?? '',
    properties: new Map(
      Object.entries(objectAt(source, 'properties') ?? {}).map(([name, one]) => [
        name,
        readStructural(isJsonObject(one) ? one : {}),
      ]),
    ),
    ...(isJsonObject(additional)
      ? { additional: readStructural(additional) }
      : additional === true
        ? { additional: 'any' as const }
        : {}),
    ...(items === undefined ? {} : { items: readStructural(items) }),
    ...(source['default'] === undefined ? {} : { default: source['default'] }),
    nullable: source['nullable'] === true,
    preserve: source['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: source['x-kubernetes-embedded-resource'] === true,
    intOrString: source['x-kubernetes-int-or-string'] === true,
    listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
    listMapKeys: listAt(source, 'x-kubernetes-list-map-keys').map(String),
    atomicMap: stringAt(source, 'x-kubernetes-map-type') === 'atomic',
    source,
  };
}

/** The schema of a key of an object; undefined where the definition does not know it, or takes anything. */
export function structuralUnder(structural: Structural | undefined, key: string): Structural | undefined {
  if (structural === undefined) return undefined;
  const property = structural.properties.get(key);
  if (property !== undefined) return property;
  return structural.additional === 'any' ? undefined : structural.additional;
}
