import { ApiError, SelectorError, compileSelector } from '#pkg/api';
import { formatTime, setOwnValue } from '#pkg/base';
import { decodeObject } from '../decode/index.ts';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { badRequest, conflict, forbidden, internalError, refusal, tooManyRequests } from '../refusals.ts';
import { schemaFor } from '../schema/index.ts';
import type { Entry } from '../store/index.ts';
import { invalidStatus } from '../validation/index.ts';
import type { Call } from './call.ts';
import { type DeleteOptions, readDeleteOptions } from './delete-options.ts';
import { deleteObject } from './delete.ts';
import { bodyOf } from './negotiate.ts';
import { SUCCESS, setCondition } from './pod-subresources.ts';
import { requireEntry } from './read.ts';
import { respondObject } from './respond.ts';
import { parseWriteQuery } from './write-options.ts';
import { checkType } from './write.ts';

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction', apiVersion: 'policy/v1' } as const;
/** Still taken, and the same. */
const OLD_VERSION = 'policy/v1beta1';
/** More Pods than this whose eviction the controller has not seen yet, and no further one is let through. */
const MOST_DISRUPTED = 2000;
const BUDGETS = 'poddisruptionbudgets.policy';
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";

/** Deletes a Pod if its disruption budget allows (`pkg/registry/core/pod/storage/eviction.go`). */
export function evict(call: Call): ApiResponse {
  const query = parseWriteQuery(call, 'CreateOptions');
  const eviction = readEviction(call, query.fieldValidation);
  const given = readDeleteOptions(objectAt(eviction, 'deleteOptions') ?? {});
  const options = { ...given, dryRun: given.dryRun || query.dryRun };
  const entry = requireEntry(call);
  const budget = isBeyondBudgets(entry) ? undefined : budgetOf(call, entry);
  if (budget !== undefined && !isUnhealthyAndFree(entry, budget)) spend(call, budget, options.dryRun);
  evictNow(call, entry, options);
  return respondObject(call, SUCCESS, 201);
}

function readEviction(call: Call, strict: 'Ignore' | 'Warn' | 'Strict'): JsonObject {
  const { headers, body } = call.request;
  const schema = schemaFor(EVICTION.group, EVICTION.version, EVICTION.kind);
  if (schema === undefined) throw internalError('no schema of policy/v1 Eviction');
  const { object, warnings } = decodeObject(schema, bodyOf(headers, body, EVICTION.kind), { strict });
  call.warnings.push(...warnings);
  checkType(object, object['apiVersion'] === OLD_VERSION ? { ...EVICTION, apiVersion: OLD_VERSION } : EVICTION);
  if (stringAt(object['metadata'], 'name') !== call.name)
    throw badRequest('name in URL does not match name in Eviction object');
  const key = 'ignoreStoreReadErrorWithClusterBreakingPotential';
  if (objectAt(object, 'deleteOptions')?.[key] === true) {
    const detail = 'can not be set for pod eviction, try after removing the option';
    throw new ApiError(
      invalidStatus(EVICTION, call.name ?? '', [
        { field: `deleteOptions.${key}`, type: 'invalid', badValue: true, detail },
      ]),
    );
  }
  return object;
}

function isBeyondBudgets(pod: Entry): boolean {
  const phase = stringAt(pod.object['status'], 'phase');
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    stringAt(pod.object['metadata'], 'deletionTimestamp') !== undefined
  );
}

function budgetOf(call: Call, pod: Entry): Entry | undefined {
  const labels = objectAt(pod.object['metadata'], 'labels') as Record<string, string> | undefined;
  const { entries } = call.core.store.page(BUDGETS, {
    namespace: call.namespace!,
    matches: (entry) => selects(entry, labels),
  });
  if (entries.length > 1) {
    throw refusal(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  return entries[0];
}

/** A selector that can't be read, which the API once took, selects nothing. */
function selects(budget: Entry, labels: Record<string, string> | undefined): boolean {
  try {
    return compileSelector(objectAt(budget.object['spec'], 'selector')).matches(labels);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}

/** A Pod that is not ready anyway disrupts nothing, if the budget sees it so. */
function isUnhealthyAndFree(pod: Entry, budget: Entry): boolean {
  const ready = objectsAt(pod.object['status'], 'conditions').some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
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
  if ((numberAt(status, 'observedGeneration') ?? 0) < (numberAt(object['metadata'], 'generation') ?? 0)) {
    const message = `The disruption budget ${name} is still being processed by the server.`;
    throw tooManyRequests(REFUSED, 10, [{ reason: 'DisruptionBudget', message }]);
  }
  const allowed = numberAt(status, 'disruptionsAllowed') ?? 0;
  const about = { group: 'policy', resource: 'poddisruptionbudget' };
  if (allowed < 0) throw forbidden(about, name, 'pdb disruptions allowed is negative');
  if (Object.keys(objectAt(status, 'disruptedPods') ?? {}).length > MOST_DISRUPTED) {
    throw forbidden(about, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (allowed === 0)
    throw tooManyRequests(REFUSED, 0, [{ reason: 'DisruptionBudget', message: whyNone(name, status) }]);
  status['disruptionsAllowed'] = allowed - 1;
  if (allowed === 1) {
    const observedGeneration = numberAt(object['metadata'], 'generation');
    const condition = {
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'InsufficientPods',
      message: '',
      observedGeneration,
    };
    setCondition(status, condition, call.core.clock.now());
  }
  setOwnValue(ensureObject(status, 'disruptedPods'), call.name!, formatTime(call.core.clock.now()));
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
  if (current <= desired)
    return `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`;
  const base = `The disruption budget ${name} does not allow evicting pods currently`;
  return said === '' ? base : `${base} (${String(condition?.['reason'])}): ${said}`;
}

function evictNow(call: Call, entry: Entry, options: DeleteOptions): void {
  let { resourceVersion } = options;
  if (!options.dryRun) {
    checkPreconditions(call.name!, entry, options);
    const pod = cloneJson<JsonObject>(entry.object);
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      lastProbeTime: null,
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    };
    setCondition(ensureObject(pod, 'status'), condition, call.core.clock.now());
    const marked = call.core.store.update('pods', entry.key, pod, entry.revision);
    if (resourceVersion !== undefined) resourceVersion = String(marked.revision);
  }
  deleteObject(call, call.name!, { ...options, ...(resourceVersion === undefined ? {} : { resourceVersion }) });
}

/** Before anything is written of the Pod: the deletion checks them once more. */
function checkPreconditions(name: string, { object, revision }: Entry, options: DeleteOptions): void {
  const uid = stringAt(object['metadata'], 'uid');
  const about = { group: '', resource: 'Pod' };
  if (options.uid !== undefined && options.uid !== uid) {
    throw conflict(
      about,
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== String(revision)) {
    throw conflict(
      about,
      name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${revision}). The object might have been modified`,
    );
  }
}
