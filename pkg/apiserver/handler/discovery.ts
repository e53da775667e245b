import { createHash } from 'node:crypto';
import type { JsonObject } from '../json.ts';
import type { Registry, Resource } from '../registry/registry.ts';

interface GroupVersions {
  readonly name: string;
  readonly versions: readonly string[];
  readonly preferred: string;
}

/** Groups in order, each with its versions, the preferred one first. */
function groupsOf(registry: Registry): GroupVersions[] {
  const groups = new Map<string, Resource[]>();
  for (const resource of registry.all()) {
    if (resource.group === '') continue;
    const members = groups.get(resource.group) ?? [];
    groups.set(resource.group, [...members, resource]);
  }
  return [...groups].map(([name, members]) => {
    const preferred = (members.find((resource) => resource.preferred) ?? members[0]!).version;
    return { name, preferred, versions: [...new Set([preferred, ...members.map((resource) => resource.version)])] };
  });
}

function versionOf(group: string, version: string): { groupVersion: string; version: string } {
  return { groupVersion: `${group}/${version}`, version };
}

function groupObject(group: GroupVersions): JsonObject {
  return {
    name: group.name,
    versions: group.versions.map((version) => versionOf(group.name, version)),
    preferredVersion: versionOf(group.name, group.preferred),
  };
}

/** `/apis` */
export function apiGroupList(registry: Registry): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(registry).map(groupObject) };
}

/** `/apis/<group>` */
export function apiGroup(registry: Registry, name: string): JsonObject | undefined {
  const group = groupsOf(registry).find((candidate) => candidate.name === name);
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group) };
}

/** `/api/v1` and `/apis/<group>/<version>` */
export function apiResourceList(registry: Registry, group: string, version: string): JsonObject | undefined {
  if (!registry.hasGroupVersion(group, version)) return undefined;
  const members = registry.all().filter((resource) => resource.group === group && resource.version === version);
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: members.flatMap(legacyResources),
  };
}

function legacyResources(resource: Resource): JsonObject[] {
  const { singular, namespaced, kind, verbs, shortNames, categories } = resource;
  const own = {
    name: resource.resource,
    singularName: singular,
    namespaced,
    kind,
    verbs: [...verbs],
    ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
    ...storageVersionHash(resource),
  };
  const under = resource.subresources.map((sub) => ({
    name: `${resource.resource}/${sub.name}`,
    singularName: '',
    namespaced,
    ...(sub.group === undefined ? {} : { group: sub.group }),
    ...(sub.version === undefined ? {} : { version: sub.version }),
    kind: sub.kind,
    verbs: [...sub.verbs],
  }));
  return [own, ...under];
}

/** Tells clients when the stored version has changed; only what can be watched is stored. */
function storageVersionHash({ group, version, kind, verbs, conversion }: Resource): { storageVersionHash?: string } {
  if (!verbs.includes('watch') && !verbs.includes('delete')) return {};
  const [storedVersion, storedGroup] =
    conversion === undefined ? [version, group] : conversion.apiVersion.split('/').toReversed();
  const digest = createHash('sha256')
    .update(`${storedGroup ?? ''}/${storedVersion}/${kind}`)
    .digest();
  return { storageVersionHash: digest.subarray(0, 8).toString('base64') };
}

/**
 * Everything in one document (`apidiscovery.k8s.io/v2`), of the core group for `/api` or of the others for `/apis`.
 * A kind's group and version are said only where they are not the resource's own.
 */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const groups = core ? [{ name: '', versions: ['v1'], preferred: 'v1' }] : groupsOf(registry);
  const items = groups.map((group) => ({
    metadata: group.name === '' ? {} : { name: group.name },
    versions: group.versions.map((version) => ({
      version,
      resources: registry
        .all()
        .filter((resource) => resource.group === group.name && resource.version === version)
        .map(aggregatedResource),
      freshness: 'Current',
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

/** Custom resources say whole what others leave out. */
function ownVersion({ group, version, custom }: Resource): { group: string; version: string } {
  return custom === undefined ? { group: '', version: '' } : { group, version };
}

function aggregatedResource(resource: Resource): JsonObject {
  const { shortNames, categories, subresources } = resource;
  return {
    resource: resource.resource,
    responseKind: { ...ownVersion(resource), kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: [...resource.verbs],
    ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: {
              ...ownVersion(resource),
              ...(sub.group === undefined ? {} : { group: sub.group, version: sub.version ?? '' }),
              kind: sub.kind,
            },
            verbs: [...sub.verbs],
          })),
        }),
  };
}
