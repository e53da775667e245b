import { ownValue, parseJson } from '#pkg/base';
import { type JsonObject, ensureObject, objectAt, objectsAt, numberAt, stringAt } from '../json.ts';
import type { ServedResource } from '../schema/index.ts';

/** Between the version that is served and the one that is stored, where they are not the same. */
export interface Conversion {
  /** `events`, `horizontalpodautoscalers.autoscaling`: under which name the objects are stored. */
  readonly storage: string;
  /** API version of what is stored. */
  readonly apiVersion: string;
  toStored(object: JsonObject): JsonObject;
  fromStored(object: Readonly<JsonObject>): JsonObject;
}

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
/** Always written in `v1`, left out when empty in `events.k8s.io/v1`. */
const LEFT_OUT = ['reportingController', 'reportingInstance'];

const events: Conversion = {
  storage: 'events',
  apiVersion: 'v1',
  toStored: (object) => {
    const stored = rename(object, 1, 0);
    for (const field of ['source', 'involvedObject'] as const) stored[field] ??= {};
    for (const field of ['firstTimestamp', 'lastTimestamp', 'eventTime'] as const) stored[field] ??= null;
    for (const field of ['reportingComponent', 'reportingInstance'] as const) stored[field] ??= '';
    return { ...stored, apiVersion: 'v1' };
  },
  fromStored: (object) => {
    const served = rename(object, 0, 1);
    for (const field of LEFT_OUT) if (ownValue(served, field) === '') delete served[field];
    return { ...served, apiVersion: 'events.k8s.io/v1' };
  },
};

function rename(object: Readonly<JsonObject>, from: 0 | 1, to: 0 | 1): JsonObject {
  const names = new Map(EVENT_FIELDS.map((pair) => [pair[from], pair[to]]));
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]));
}

const OTHER_METRICS = 'autoscaling.alpha.kubernetes.io/metrics';

/** `autoscaling/v1` knows one metric, the use of CPU; others travel in an annotation (`pkg/apis/autoscaling/v1/conversion.go`). */
const autoscalers: Conversion = {
  storage: 'horizontalpodautoscalers.autoscaling',
  apiVersion: 'autoscaling/v2',
  toStored: (object) => {
    const { targetCPUUtilizationPercentage: target, ...spec } = objectAt(object, 'spec') ?? {};
    const { currentCPUUtilizationPercentage: current, ...status } = objectAt(object, 'status') ?? {};
    const annotations = objectAt(object['metadata'], 'annotations');
    const others = parseList(stringAt(annotations, OTHER_METRICS));
    if (annotations !== undefined) delete annotations[OTHER_METRICS];
    const cpu =
      typeof target === 'number' ? [cpuMetric('target', { type: 'Utilization', averageUtilization: target })] : [];
    const metrics = [...others, ...cpu];
    if (metrics.length > 0) spec['metrics'] = metrics;
    if (typeof current === 'number') status['currentMetrics'] = [cpuMetric('current', { averageUtilization: current })];
    status['currentMetrics'] ??= null;
    if (status['currentReplicas'] === 0) delete status['currentReplicas'];
    return { ...object, apiVersion: 'autoscaling/v2', spec, status };
  },
  fromStored: (object) => {
    const { metrics: _metrics, behavior: _behavior, ...spec } = objectAt(object, 'spec') ?? {};
    const { currentMetrics: _current, conditions: _conditions, ...status } = objectAt(object, 'status') ?? {};
    const metrics = objectsAt(object['spec'], 'metrics');
    const cpu = metrics.find(isCpuUse);
    const target = numberAt(objectAt(objectAt(cpu, 'resource'), 'target'), 'averageUtilization');
    if (target !== undefined) spec['targetCPUUtilizationPercentage'] = target;
    const current = objectsAt(object['status'], 'currentMetrics').find(isCpuUse);
    const use = numberAt(objectAt(objectAt(current, 'resource'), 'current'), 'averageUtilization');
    if (use !== undefined) status['currentCPUUtilizationPercentage'] = use;
    status['currentReplicas'] ??= 0;
    const others = metrics.filter((metric) => metric !== cpu);
    const metadata = { ...objectAt(object, 'metadata') };
    if (others.length > 0) {
      metadata['annotations'] = { ...objectAt(metadata, 'annotations') };
      ensureObject(metadata, 'annotations')[OTHER_METRICS] = JSON.stringify(others);
    }
    return { ...object, apiVersion: 'autoscaling/v1', metadata, spec, status };
  },
};

function cpuMetric(part: 'target' | 'current', value: JsonObject): JsonObject {
  return { type: 'Resource', resource: { name: 'cpu', [part]: value } };
}

function isCpuUse(metric: JsonObject): boolean {
  const resource = objectAt(metric, 'resource');
  return (
    metric['type'] === 'Resource' &&
    resource?.['name'] === 'cpu' &&
    numberAt(objectAt(resource, 'target') ?? objectAt(resource, 'current'), 'averageUtilization') !== undefined
  );
}

function parseList(text: string | undefined): unknown[] {
  if (text === undefined) return [];
  try {
    const value: unknown = parseJson(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

const conversions: Readonly<Record<string, Conversion>> = {
  'events.k8s.io/v1/events': events,
  'autoscaling/v1/horizontalpodautoscalers': autoscalers,
};

export function conversionOf(served: ServedResource): Conversion | undefined {
  return ownValue(conversions, `${served.group}/${served.version}/${served.resource}`);
}
