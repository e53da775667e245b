import { groupResource } from '#pkg/api';
import { compareVersions } from '../custom-resources/versions.ts';
import type { JsonObject } from '../json.ts';
import { type ObjectSchema, type ServedResource, schemaFor, servedResources } from '../schema/index.ts';
import type { IndexFunction } from '../store/index.ts';
import { type Conversion, conversionOf } from './conversions.ts';
import { type KindSemantics, builtInSemantics } from './semantics.ts';

/** A resource as served in one version, with all that dispatch needs to know of it. */
export interface Resource extends ServedResource {
  readonly schema: ObjectSchema;
  readonly storage: string;
  readonly apiVersion: string;
  readonly conversion?: Conversion;
  readonly semantics: KindSemantics;
  /** Set for custom resources. */
  readonly custom?: CustomServing;
}

/** What handlers know of a custom resource beyond the meaning of its objects. */
export interface CustomServing {
  /** Where the scale subresource finds its numbers. */
  readonly scale?: ScalePaths;
  /** Its definition's own schema, for the documents of the API. */
  readonly published: Readonly<JsonObject>;
  /** Field labels beyond name and namespace. */
  readonly fields: ReadonlyMap<string, (object: Readonly<JsonObject>) => string>;
  /** Sent with every answer of a version that is deprecated. */
  readonly warning?: string;
  /** Its definition is being deleted: nothing new is created. */
  readonly terminating: boolean;
  /** Aborted when the resource is no longer served as it is here: watches of it end. */
  readonly ended: AbortSignal;
}

export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly labelSelector?: readonly string[];
}

/** The table of served resources. Resources can come and go while the server runs. */
export class Registry {
  readonly #resources = new Map<string, Resource>();
  readonly #order: Resource[] = [];
  #generation = 0;

  constructor() {
    for (const served of servedResources()) {
      const schema = schemaFor(served.group, served.version, served.kind);
      if (schema !== undefined) this.add(served, schema);
    }
  }

  /** Counts changes of the table, for whoever caches what it says. */
  get generation(): number {
    return this.#generation;
  }

  add(served: ServedResource, schema: ObjectSchema): Resource {
    const conversion = conversionOf(served);
    const resource: Resource = {
      ...served,
      schema,
      storage: conversion?.storage ?? groupResource(served),
      apiVersion: served.group === '' ? served.version : `${served.group}/${served.version}`,
      ...(conversion === undefined ? {} : { conversion }),
      semantics: builtInSemantics(served, schema),
    };
    this.put(resource);
    return resource;
  }

  /** Takes the place of what was served under the same path; else follows what is there, custom resources in order of their names. */
  put(resource: Resource): void {
    const { group, version, resource: name } = resource;
    const before = this.find(group, version, name);
    this.#resources.set(key(group, version, name), resource);
    if (before !== undefined) this.#order[this.#order.indexOf(before)] = resource;
    else this.#order.splice(this.#placeOf(resource), 0, resource);
    this.#generation++;
  }

  #placeOf(resource: Resource): number {
    const last = this.#order.length;
    if (resource.custom === undefined) return last;
    const next = this.#order.findIndex((other) => other.custom !== undefined && compareCustom(resource, other) < 0);
    return next < 0 ? last : next;
  }

  remove(group: string, version: string, name: string): void {
    const resource = this.find(group, version, name);
    if (resource === undefined) return;
    this.#resources.delete(key(group, version, name));
    this.#order.splice(this.#order.indexOf(resource), 1);
    this.#generation++;
  }

  find(group: string, version: string, name: string): Resource | undefined {
    return this.#resources.get(key(group, version, name));
  }

  /** Finds as {@link find} does; throws a RangeError for what is not there. */
  require(group: string, version: string, name: string): Resource {
    const resource = this.find(group, version, name);
    if (resource === undefined) throw new RangeError(`${key(group, version, name)} is not served`);
    return resource;
  }

  /** In discovery order. */
  all(): readonly Resource[] {
    return this.#order;
  }

  /** Whether some of the group is built in: then a path that is not there is answered for, else nobody knows of it. */
  hasGroup(group: string): boolean {
    return this.#order.some((resource) => resource.group === group && resource.custom === undefined);
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.#order.some((resource) => resource.group === group && resource.version === version);
  }
}

/** Groups by name, in each the version first that clients prefer. */
function compareCustom(a: Resource, b: Resource): number {
  const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  return order(a.group, b.group) || compareVersions(a.version, b.version) || order(a.resource, b.resource);
}

function key(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`;
}

/** Values by which some resources are found besides their keys. */
export const indexes: Readonly<Record<string, { readonly field: string; readonly index: IndexFunction }>> = {
  pods: {
    field: 'spec.nodeName',
    index: (object) => {
      const name = (object['spec'] as JsonObject | undefined)?.['nodeName'];
      return typeof name === 'string' && name !== '' ? name : undefined;
    },
  },
};
