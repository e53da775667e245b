import { type KubeObject, type ResourceType, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

/** What workload controllers write, and what they write it for. */
const WATCHED: readonly ResourceType[] = [
  resources.deployments,
  resources.replicaSets,
  resources.statefulSets,
  resources.daemonSets,
  resources.cronJobs,
  resources.jobs,
  resources.controllerRevisions,
  resources.persistentVolumeClaims,
  resources.pods,
];

/** What differs from one run to the next whoever is at work. */
const CHANCE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  // Given to Pods one after the other, in whatever order they come to run.
  [/"(10\.244\.\d+\.\d+|fd00:10:244::[0-9a-f]+)"/g, '"<address>"'],
  // Minutes since the epoch, in the names of a CronJob's Jobs.
  [/-\d{8}\b/g, '-<minute>'],
];
const RANDOM_SUFFIX = /-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;

/** Everything in a namespace, without what chance decides: two of these can be compared as they are. */
export interface Outcome {
  /** Sorted, as JSON of one object each. */
  readonly objects: readonly string[];
  /** `<count> <type> <reason> <kind> <name>: <message> (<who>)`, sorted. */
  readonly events: readonly string[];
}

/** The objects and events of `namespace`. Hashes and the names that they are part of are compared as they are. */
export async function outcomeOf(client: Client, namespace: string): Promise<Outcome> {
  const lists = await Promise.all(WATCHED.map(async (type) => (await client.resource(type).list({ namespace })).items));
  const all = lists.flat();
  const { items: events } = await client.resource(resources.events).list({ namespace });
  const counts = new Map<string, number>();
  for (const {
    type,
    reason,
    involvedObject: { kind, name, apiVersion },
    message,
    source,
    reportingComponent,
    count = 1,
  } of events) {
    const line = withoutChance(
      `${type} ${reason} ${apiVersion} ${kind} ${name}: ${message} (${source?.component}, ${reportingComponent})`,
    );
    counts.set(line, (counts.get(line) ?? 0) + count);
  }
  return {
    objects: all.map((object) => withoutChance(JSON.stringify(portable(object)))).toSorted(),
    events: [...counts].map(([line, count]) => `${count} ${line}`).toSorted(),
  };
}

function withoutChance(text: string): string {
  let plain = text;
  for (const [pattern, name] of CHANCE) plain = plain.replaceAll(pattern, name);
  return plain.replaceAll(RANDOM_SUFFIX, '-<random>');
}

/** Keys sorted, so that the order of maps is none; without versions, and who wrote which field when. */
function portable(object: KubeObject): unknown {
  const { managedFields: _fields, resourceVersion: _version, ...metadata } = object.metadata;
  return sorted({ ...object, metadata });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, key === 'volumes' ? inAnyOrder(inner) : sorted(inner)]),
  );
}

/** The original adds the volumes of several claims in the order of a Go map, which is another one each time. */
function inAnyOrder(volumes: unknown): unknown {
  return Array.isArray(volumes) ? volumes.map((volume) => JSON.stringify(sorted(volume))).toSorted() : sorted(volumes);
}
