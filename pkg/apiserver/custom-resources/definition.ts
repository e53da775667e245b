import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';

export const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export interface Names {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath: string;
}

export interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated: boolean;
  readonly deprecationWarning?: string;
  /** `openAPIV3Schema` */
  readonly schema: Readonly<JsonObject>;
  readonly columns: readonly Column[];
  readonly hasStatus: boolean;
  readonly scale?: Readonly<JsonObject>;
  readonly selectablePaths: readonly string[];
}

/** A stored CustomResourceDefinition, read. */
export interface Definition {
  readonly name: string;
  readonly group: string;
  readonly namespaced: boolean;
  readonly requested: Names;
  readonly accepted: Names;
  readonly versions: readonly Version[];
  /** The version in which objects are stored. */
  readonly storage: Version;
  readonly preserveUnknownFields: boolean;
  readonly established: boolean;
  readonly namesAccepted: boolean;
  readonly terminating: boolean;
}

export function readDefinition(object: Readonly<JsonObject>): Definition {
  const spec = objectAt(object, 'spec') ?? {};
  const status = objectAt(object, 'status') ?? {};
  const versions = objectsAt(spec, 'versions').map(readVersion);
  const isTrue = (type: string): boolean => conditionOf(object, type)?.['status'] === 'True';
  return {
    name: stringAt(object['metadata'], 'name') ?? '',
    group: stringAt(spec, 'group') ?? '',
    namespaced: stringAt(spec, 'scope') === 'Namespaced',
    requested: readNames(objectAt(spec, 'names')),
    accepted: readNames(objectAt(status, 'acceptedNames')),
    versions,
    storage: versions.find((version) => version.storage) ?? versions[0]!,
    preserveUnknownFields: spec['preserveUnknownFields'] === true,
    established: isTrue('Established'),
    namesAccepted: isTrue('NamesAccepted'),
    terminating: isTrue('Terminating'),
  };
}

export function conditionOf(object: Readonly<JsonObject>, type: string): JsonObject | undefined {
  return objectsAt(objectAt(object, 'status'), 'conditions').find((condition) => condition['type'] === type);
}

export function readNames(names: JsonObject | undefined): Names {
  return {
    plural: stringAt(names, 'plural') ?? '',
    singular: stringAt(names, 'singular') ?? '',
    kind: stringAt(names, 'kind') ?? '',
    listKind: stringAt(names, 'listKind') ?? '',
    shortNames: listAt(names, 'shortNames').map(String),
    categories: listAt(names, 'categories').map(String),
  };
}

const AGE: Column = {
  name: 'Age',
  type: 'date',
  format: '',
  description: '',
  priority: 0,
  jsonPath: '.metadata.creationTimestamp',
};

function readVersion(version: JsonObject): Version {
  const columns = objectsAt(version, 'additionalPrinterColumns');
  const subresources = objectAt(version, 'subresources');
  const scale = objectAt(subresources, 'scale');
  const warning = stringAt(version, 'deprecationWarning');
  return {
    name: stringAt(version, 'name') ?? '',
    served: version['served'] === true,
    storage: version['storage'] === true,
    deprecated: version['deprecated'] === true,
    ...(warning === undefined ? {} : { deprecationWarning: warning }),
    schema: objectAt(objectAt(version, 'schema'), 'openAPIV3Schema') ?? {},
    columns: columns.length === 0 ? [AGE] : columns.map(readColumn),
    hasStatus: objectAt(subresources, 'status') !== undefined,
    ...(scale === undefined ? {} : { scale }),
    selectablePaths: objectsAt(version, 'selectableFields').map((field) => stringAt(field, 'jsonPath') ?? ''),
  };
}

function readColumn(column: JsonObject): Column {
  return {
    name: stringAt(column, 'name') ?? '',
    type: stringAt(column, 'type') ?? '',
    format: stringAt(column, 'format') ?? '',
    description: stringAt(column, 'description') ?? '',
    priority: numberAt(column, 'priority') ?? 0,
    jsonPath: stringAt(column, 'jsonPath') ?? '',
  };
}
