import type { JsonObject } from '../json.ts';
import type { ServedResource } from '../schema/index.ts';
import type { Conversion } from './registry.ts';

/** Names of an Event's fields in `v1` and in `events.k8s.io/v1`, where they differ (`pkg/apis/events/v1/conversion.go`). */
const EVENT_FIELDS: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

const events: Conversion = {
  storage: 'events',
  toStored: (object) => ({ ...rename(object, 1, 0), apiVersion: 'v1' }),
  fromStored: (object) => ({ ...rename(object, 0, 1), apiVersion: 'events.k8s.io/v1' }),
};

function rename(object: Readonly<JsonObject>, from: 0 | 1, to: 0 | 1): JsonObject {
  const names = new Map(EVENT_FIELDS.map((pair) => [pair[from], pair[to]]));
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]));
}

const conversions: Readonly<Record<string, Conversion>> = {
  'events.k8s.io/v1/events': events,
};

export function conversionOf(served: ServedResource): Conversion | undefined {
  return conversions[`${served.group}/${served.version}/${served.resource}`];
}
