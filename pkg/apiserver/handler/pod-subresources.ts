import { compileSelector } from '#pkg/api';
import { formatTime } from '#pkg/base';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { badRequest, conflict, forbidden, internalError, refusal, tooManyRequests } from '../refusals.ts';
import type { Entry } from '../store/index.ts';
import type { Call } from './call.ts';
import { type DeleteOptions, readDeleteOptions } from './delete-options.ts';
import { deleteObject } from './delete.ts';
import { parseBody } from './negotiate.ts';
import { requireEntry } from './read.ts';
import { respondObject } from './respond.ts';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const;
/** More Pods than this whose eviction the controller has not seen yet, and no further one is let through. */
const MOST_DISRUPTED = 2000;
const BUDGETS = 'poddisruptionbudgets.policy';

/** Puts a Pod on a node: what schedulers write (`pkg/registry/core/pod/storage`, BindingREST). */
export function bind(call: Call): ApiResponse {
  const binding = parseBody(call.request.headers, call.request.body);
  const metadata = objectAt(binding, 'metadata');
  const name = call.name ?? stringAt(metadata, 'name') ?? '';
  const target = objectAt(binding, 'target');
  const node = stringAt(target, 'name') ?? '';
  if (stringAt(metadata, 'name') !== undefined && stringAt(metadata, 'name') !== name) {
    throw badRequest('name in URL does not match name in Binding object');
  }
  if (node === '') throw refusal(500, '', 'target.name: Required value');
  const named = { ...call, name, resource: call.core.registry.require('', 'v1', 'pods') };
  const entry = requireEntry(named);
  const uid = stringAt(metadata, 'uid');
  if (uid !== undefined && uid !== stringAt(entry.object['metadata'], 'uid')) {
    throw conflict(named.resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stringAt(entry.object['metadata'], 'uid')}`);
  }
  const pod = cloneJson<JsonObject>(entry.object);
  const refused = bindingRefusal(pod, name);
  if (refused !== undefined) throw conflict({ group: '', resource: 'pods/binding' }, name, refused);
  ensureObject(pod, 'spec')['nodeName'] = node;
  for (const field of ['annotations', 'labels']) {
    const added = objectAt(metadata, field);
    if (added !== undefined) Object.assign(ensureObject(ensureObject(pod, 'metadata'), field), added);
  }
  const status = ensureObject(pod, 'status');
  delete status['nominatedNodeName'];
  setCondition(status, { type: 'PodScheduled', status: 'True', lastProbeTime: null }, call.core.clock.now());
  if (!call.query.has('dryRun')) call.core.store.update('pods', entry.key, pod, entry.revision);
  return respondObject(call, SUCCESS, 201);
}

function bindingRefusal(pod: JsonObject, name: string): string | undefined {
  if (stringAt(pod['metadata'], 'deletionTimestamp') !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  const node = stringAt(pod['spec'], 'nodeName') ?? '';
  if (node !== '') return `pod ${name} is already assigned to node "${node}"`;
  if (listAt(pod['spec'], 'schedulingGates').length > 0) return `pod ${name} has non-empty .spec.schedulingGates`;
  return undefined;
}

/** Replaces the condition of the same type; the time of transition moves only with the status (`podutil.UpdatePodCondition`). */
export function setCondition(status: JsonObject, condition: JsonObject, now: number): void {
  const conditions = objectsAt(status, 'conditions');
  const at = conditions.findIndex(({ type }) => type === condition['type']);
  const before = conditions[at];
  const lastTransitionTime = before !== undefined && before['status'] === condition['status'] ? before['lastTransitionTime'] : formatTime(now);
  const after = { ...condition, lastTransitionTime };
  status['conditions'] = at < 0 ? [...conditions, after] : conditions.with(at, after);
}

/** Deletes a Pod if its disruption budget allows (`pkg/registry/core/pod/storage/eviction.go`). */
export function evict(call: Call): ApiResponse {
  const eviction = parseBody(call.request.headers, call.request.body);
  if (stringAt(eviction['metadata'], 'name') !== call.name) throw badRequest('name in URL does not match name in Eviction object');
  const given = readDeleteOptions(objectAt(eviction, 'deleteOptions') ?? {});
  const options = { ...given, dryRun: given.dryRun || call.query.has('dryRun') };
  const entry = requireEntry(call);
  const budget = isBeyondBudgets(entry) ? undefined : budgetOf(call, entry);
  if (budget !== undefined && !isUnhealthyAndFree(entry, budget)) spend(call, budget, options.dryRun);
  evictNow(call, entry, options);
  return respondObject(call, SUCCESS, 201);
}

function isBeyondBudgets(pod: Entry): boolean {
  const phase = stringAt(pod.object['status'], 'phase');
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || stringAt(pod.object['metadata'], 'deletionTimestamp') !== undefined;
}

function budgetOf(call: Call, pod: Entry): Entry | undefined {
  const labels = objectAt(pod.object['metadata'], 'labels') as Record<string, string> | undefined;
  const { entries } = call.core.store.page(BUDGETS, {
    namespace: call.namespace!,
    matches: (entry) => compileSelector(objectAt(entry.object['spec'], 'selector')).matches(labels),
  });
  if (entries.length > 1) {
    throw refusal(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  }
  return entries[0];
}

/** A Pod that is not ready anyway disrupts nothing, if the budget sees it so. */
function isUnhealthyAndFree(pod: Entry, budget: Entry): boolean {
  const ready = objectsAt(pod.object['status'], 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True');
  if (ready) return false;
  if (stringAt(budget.object['spec'], 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true;
  const current = numberAt(budget.object['status'], 'currentHealthy') ?? 0;
  const desired = numberAt(budget.object['status'], 'desiredHealthy') ?? 0;
  return current >= desired && desired > 0;
}

function spend(call: Call, budget: Entry, dryRun: boolean): void {
  const object = cloneJson<JsonObject>(budget.object);
  const status = ensureObject(object, 'status');
  const name = stringAt(object['metadata'], 'name')!;
  const refused = 'Cannot evict pod as it would violate the pod\'s disruption budget.';
  if ((numberAt(status, 'observedGeneration') ?? 0) < (numberAt(object['metadata'], 'generation') ?? 0)) {
    const message = `The disruption budget ${name} is still being processed by the server.`;
    throw tooManyRequests(refused, 10, [{ reason: 'DisruptionBudget', message }]);
  }
  const allowed = numberAt(status, 'disruptionsAllowed') ?? 0;
  const about = { group: 'policy', resource: 'poddisruptionbudget' };
  if (allowed < 0) throw forbidden(about, name, 'pdb disruptions allowed is negative');
  if (Object.keys(objectAt(status, 'disruptedPods') ?? {}).length > MOST_DISRUPTED) {
    throw forbidden(about, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (allowed === 0) throw tooManyRequests(refused, 0, [{ reason: 'DisruptionBudget', message: whyNone(name, status) }]);
  status['disruptionsAllowed'] = allowed - 1;
  if (allowed === 1) {
    const observedGeneration = numberAt(object['metadata'], 'generation');
    const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '', observedGeneration };
    setCondition(status, condition, call.core.clock.now());
  }
  ensureObject(status, 'disruptedPods')[call.name!] = formatTime(call.core.clock.now());
  if (!dryRun) call.core.store.update(BUDGETS, budget.key, object, budget.revision);
}

function whyNone(name: string, status: JsonObject): string {
  const condition = objectsAt(status, 'conditions').find(({ type }) => type === 'DisruptionAllowed');
  const said = condition?.['status'] === 'False' ? (stringAt(condition, 'message') ?? '') : '';
  const current = numberAt(status, 'currentHealthy') ?? 0;
  const desired = numberAt(status, 'desiredHealthy') ?? 0;
  if (said !== '' && condition?.['reason'] === 'SyncFailed') {
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${said}`;
  }
  if (current <= desired) return `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`;
  const base = `The disruption budget ${name} does not allow evicting pods currently`;
  return said === '' ? base : `${base} (${String(condition?.['reason'])}): ${said}`;
}

function evictNow(call: Call, entry: Entry, options: DeleteOptions): void {
  let { resourceVersion } = options;
  if (!options.dryRun) {
    if (resourceVersion !== undefined && resourceVersion !== String(entry.revision)) {
      throw conflict({ group: '', resource: 'Pod' }, call.name!, `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${entry.revision}). The object might have been modified`);
    }
    const pod = cloneJson<JsonObject>(entry.object);
    const condition = { type: 'DisruptionTarget', status: 'True', lastProbeTime: null, reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
    setCondition(ensureObject(pod, 'status'), condition, call.core.clock.now());
    const marked = call.core.store.update('pods', entry.key, pod, entry.revision);
    if (resourceVersion !== undefined) resourceVersion = String(marked.revision);
  }
  deleteObject(call, call.name!, { ...options, ...(resourceVersion === undefined ? {} : { resourceVersion }) });
}

/** What needs a container, of which there are none. */
export function refuseContainers(call: Call): ApiResponse {
  const entry = requireEntry(call);
  const name = `${call.resource.singular} "${call.name}"`;
  if (call.resource.storage === 'pods' && (stringAt(entry.object['spec'], 'nodeName') ?? '') === '') {
    if (call.subresource === 'log') return { status: 204, headers: {}, body: Buffer.alloc(0) };
    throw badRequest(`pod ${call.name} does not have a host assigned`);
  }
  const what = call.subresource === 'log' ? 'there are no container logs' : `${call.subresource} is not possible`;
  throw internalError(`${what} for ${name}: nodes of this cluster are simulated and start no containers`);
}
