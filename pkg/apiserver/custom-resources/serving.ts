import type { JsonObject } from '../json.ts';
import { cloneJson, numberAt, stringAt } from '../json.ts';
import type { Conversion } from '../registry/conversions.ts';
import type { CustomServing, Resource } from '../registry/registry.ts';
import type { ServedSubresource } from '../schema/index.ts';
import { fillDefaults } from './defaulting.ts';
import type { CustomKind } from './custom-kind.ts';
import type { Definition, Version } from './definition.ts';
import { compilePath } from './json-path.ts';
import { schemaOf } from './object-schema.ts';
import { coerce, customKind, customSemantics } from './semantics.ts';
import { type Structural, readStructural } from './structural.ts';
import { compareVersions } from './versions.ts';

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
/** True for a definition that is being deleted. */
const LAST_VERBS = ['delete', 'deletecollection', 'get', 'list', 'watch'];
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'];

/** What a definition makes the server serve: a resource a version, the preferred one first. */
export function resourcesOf(definition: Definition, ended: AbortSignal): Resource[] {
  const versions = definition.versions
    .filter((version) => version.served)
    .toSorted((a, b) => compareVersions(a.name, b.name));
  const kinds = new Map(
    definition.versions.map((version) => [
      version.name,
      customKind(definition, version, readStructural(version.schema)),
    ]),
  );
  return versions.map((version) => resourceOf(definition, version, kinds, version === versions[0], ended));
}

function resourceOf(
  definition: Definition,
  version: Version,
  kinds: ReadonlyMap<string, CustomKind>,
  preferred: boolean,
  ended: AbortSignal,
): Resource {
  const { group, accepted, namespaced } = definition;
  const kind = kinds.get(version.name)!;
  const warning = deprecationWarning(definition, version);
  const custom: CustomServing = {
    published: version.schema,
    fields: selectableFields(version),
    terminating: definition.terminating,
    ended,
    ...(version.scale === undefined ? {} : { scale: scalePaths(version.scale) }),
    ...(warning === undefined ? {} : { warning }),
  };
  return {
    group,
    version: version.name,
    kind: accepted.kind,
    resource: accepted.plural,
    singular: accepted.singular,
    namespaced,
    preferred,
    shortNames: accepted.shortNames,
    categories: accepted.categories,
    verbs: definition.terminating ? LAST_VERBS : VERBS,
    subresources: subresourcesOf(version, accepted.kind),
    schema: schemaOf(
      `${group.split('.').toReversed().join('.')}.${version.name}.${accepted.kind}`,
      kind.structural,
      version.hasStatus,
    ),
    storage: definition.name,
    apiVersion: `${group}/${version.name}`,
    conversion: conversionOf(definition, kind, kinds),
    semantics: customSemantics(kind),
    custom,
  };
}

function subresourcesOf(version: Version, kind: string): ServedSubresource[] {
  const subresources: ServedSubresource[] = [];
  if (version.hasStatus) subresources.push({ name: 'status', kind, verbs: SUBRESOURCE_VERBS });
  if (version.scale !== undefined)
    subresources.push({ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: SUBRESOURCE_VERBS });
  return subresources;
}

function scalePaths(scale: Readonly<JsonObject>): NonNullable<CustomServing['scale']> {
  const path = (key: string): string[] | undefined => stringAt(scale, key)?.replace(/^\./, '').split('.');
  const selector = path('labelSelectorPath');
  return {
    specReplicas: path('specReplicasPath') ?? [],
    statusReplicas: path('statusReplicasPath') ?? [],
    ...(selector === undefined ? {} : { labelSelector: selector }),
  };
}

function selectableFields(version: Version): CustomServing['fields'] {
  return new Map(
    version.selectablePaths.map((text) => {
      const path = compilePath(text);
      return [
        text.replace(/^\./, ''),
        (object) => {
          const value = path?.(object)[0];
          if (value === undefined || value === null) return '';
          return typeof value === 'string' ? value : JSON.stringify(value);
        },
      ];
    }),
  );
}

/**
 * Between the versions of a kind nothing differs but what each knows: an object is read through the schema of the version that is
 * asked for, whatever it was stored with (strategy None, `conversion/nop_converter.go`).
 */
function conversionOf(definition: Definition, kind: CustomKind, kinds: ReadonlyMap<string, CustomKind>): Conversion {
  const stored = kinds.get(definition.storage.name)!;
  // Objects in the store never change, so what they look like is worked out once.
  const known = new WeakMap<Readonly<JsonObject>, JsonObject>();
  return {
    storage: definition.name,
    apiVersion: stored.apiVersion,
    toStored(object) {
      if (stored === kind) return object;
      coerce(stored, object, { strict: [] });
      return { ...object, apiVersion: stored.apiVersion };
    },
    fromStored(object) {
      let read = known.get(object);
      if (read === undefined) {
        read = readStored(object, kind, kinds);
        known.set(object, read);
      }
      return read;
    },
  };
}

function readStored(
  object: Readonly<JsonObject>,
  kind: CustomKind,
  kinds: ReadonlyMap<string, CustomKind>,
): JsonObject {
  const read = cloneJson<JsonObject>(object);
  const version = stringAt(object, 'apiVersion')?.split('/').at(-1) ?? '';
  const written: Structural | undefined = kinds.get(version)?.structural;
  fillDefaults(read, written);
  read['apiVersion'] = kind.apiVersion;
  read['kind'] = kind.kind;
  coerce(kind, read, { strict: [] });
  const metadata = read['metadata'] as JsonObject;
  if ((numberAt(metadata, 'generation') ?? 0) === 0) metadata['generation'] = 1;
  const { kind: name, apiVersion, metadata: meta, ...rest } = read;
  return { kind: name, apiVersion, metadata: meta, ...rest };
}

function deprecationWarning({ group, requested, versions }: Definition, version: Version): string | undefined {
  if (!version.deprecated) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const newer = versions.filter(
    ({ name, served, deprecated }) => served && !deprecated && compareVersions(name, version.name) < 0,
  );
  const best = newer.toSorted((a, b) => compareVersions(a.name, b.name))[0];
  const text = `${group}/${version.name} ${requested.kind} is deprecated`;
  return best === undefined ? text : `${text}; use ${group}/${best.name} ${requested.kind}`;
}
