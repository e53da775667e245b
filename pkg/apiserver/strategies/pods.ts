import { ownValue, setOwnValue } from '#pkg/base';
import { parseQuantity } from '../decode/index.ts';
import { type JsonObject, cloneJson, ensureObject, objectAt, objectsAt, stringAt } from '../json.ts';
import type { PrepareContext, Strategy } from './strategy.ts';

export const podStrategy: Strategy = {
  generation: ['spec'],
  create: preparePod,
  subresources: { status: updateStatus, ephemeralcontainers: addEphemeralContainers, resize: resizeContainers },
};

function preparePod(object: JsonObject, { time }: PrepareContext): void {
  const spec = ensureObject(object, 'spec');
  // Once "at once", now the least there is.
  if (Number(spec['terminationGracePeriodSeconds']) < 0) spec['terminationGracePeriodSeconds'] = 1;
  const status: JsonObject = { phase: 'Pending', qosClass: podQosClass(spec) };
  if (objectsAt(spec, 'schedulingGates').length > 0) {
    status['conditions'] = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: time ?? null,
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  object['status'] = status;
}

function updateStatus(object: JsonObject, old: JsonObject): void {
  object['spec'] = cloneJson(old['spec']);
  const metadata = ensureObject(object, 'metadata');
  const before = ensureObject(old, 'metadata');
  delete metadata['deletionTimestamp'];
  if (before['ownerReferences'] === undefined) delete metadata['ownerReferences'];
  else metadata['ownerReferences'] = cloneJson(before['ownerReferences']);
  const status = ensureObject(object, 'status');
  const oldStatus = objectAt(old, 'status') ?? {};
  if (oldStatus['qosClass'] !== undefined) status['qosClass'] ||= oldStatus['qosClass'];
  if (oldStatus['observedGeneration'] !== undefined) status['observedGeneration'] ||= oldStatus['observedGeneration'];
  const known = objectsAt(oldStatus, 'conditions');
  for (const condition of objectsAt(status, 'conditions')) {
    const observed = known.find((one) => one['type'] === condition['type'])?.['observedGeneration'];
    if (observed !== undefined) condition['observedGeneration'] ||= observed;
  }
}

/** What a request to a subresource of the spec may not touch comes from the stored Pod. */
function keepAllBut(object: JsonObject, old: JsonObject, spec: JsonObject): void {
  object['spec'] = spec;
  object['status'] = cloneJson(old['status']);
  object['metadata'] = { ...cloneJson(ensureObject(old, 'metadata')), ...resourceVersionOf(object) };
}

function resourceVersionOf(object: JsonObject): JsonObject {
  const version = stringAt(object['metadata'], 'resourceVersion');
  return version === undefined ? {} : { resourceVersion: version };
}

function addEphemeralContainers(object: JsonObject, old: JsonObject): void {
  const containers = objectsAt(object['spec'], 'ephemeralContainers');
  const spec = cloneJson(ensureObject(old, 'spec'));
  if (containers.length > 0) spec['ephemeralContainers'] = containers;
  keepAllBut(object, old, spec);
}

function resizeContainers(object: JsonObject, old: JsonObject): void {
  const asked = ensureObject(object, 'spec');
  const spec = cloneJson(ensureObject(old, 'spec'));
  for (const list of ['containers', 'initContainers']) {
    const before = objectsAt(spec, list);
    const after = objectsAt(asked, list);
    if (
      before.length !== after.length ||
      before.some((container, index) => container['name'] !== after[index]!['name'])
    )
      return;
    for (const [index, container] of before.entries()) {
      for (const key of ['resources', 'resizePolicy']) {
        if (ownValue(after[index], key) !== undefined) setOwnValue(container, key, ownValue(after[index], key));
      }
    }
  }
  if (asked['resources'] !== undefined) spec['resources'] = asked['resources'];
  keepAllBut(object, old, spec);
}

const QOS_RESOURCES = ['cpu', 'memory'];
type Amounts = Map<string, bigint>;

/** BestEffort, Burstable or Guaranteed (`qos.ComputePodQOS`). */
export function podQosClass(spec: JsonObject): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const ofPod = objectAt(spec, 'resources');
  const holders =
    ofPod === undefined
      ? [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')]
      : [{ resources: ofPod }];
  const requests: Amounts = new Map();
  const limits: Amounts = new Map();
  let limited = true;
  for (const holder of holders) {
    const resources = objectAt(holder, 'resources');
    addAmounts(requests, objectAt(resources, 'requests'));
    if (addAmounts(limits, objectAt(resources, 'limits')) < QOS_RESOURCES.length) limited = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const matched = [...requests].every(([name, amount]) => limits.get(name) === amount);
  return limited && matched && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}

/** Adds the amounts above zero; how many there were. */
function addAmounts(totals: Amounts, list: JsonObject | undefined): number {
  let count = 0;
  for (const name of QOS_RESOURCES) {
    const nano = parseQuantity(stringAt(list, name) ?? '')?.nano ?? 0n;
    if (nano <= 0n) continue;
    totals.set(name, (totals.get(name) ?? 0n) + nano);
    count++;
  }
  return count;
}
