import { formatTime, setOwnValue } from '#pkg/base';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { badRequest, conflict, internalError, refusal } from '../refusals.ts';
import type { Call } from './call.ts';
import { parseBody } from './negotiate.ts';
import { requireEntry } from './read.ts';
import { respondObject } from './respond.ts';

export const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const;

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
    throw conflict(
      named.resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stringAt(entry.object['metadata'], 'uid')}`,
    );
  }
  const pod = cloneJson<JsonObject>(entry.object);
  const refused = bindingRefusal(pod, name);
  if (refused !== undefined) throw conflict({ group: '', resource: 'pods/binding' }, name, refused);
  ensureObject(pod, 'spec')['nodeName'] = node;
  for (const field of ['annotations', 'labels']) {
    const added = objectAt(metadata, field);
    if (added === undefined) continue;
    const kept = ensureObject(ensureObject(pod, 'metadata'), field);
    for (const [key, value] of Object.entries(added)) setOwnValue(kept, key, value);
  }
  const status = ensureObject(pod, 'status');
  delete status['nominatedNodeName'];
  setCondition(status, { type: 'PodScheduled', status: 'True', lastProbeTime: null }, call.core.clock.now());
  if (!call.query.has('dryRun')) call.core.store.update('pods', entry.key, pod, entry.revision);
  return respondObject(call, SUCCESS, 201);
}

function bindingRefusal(pod: JsonObject, name: string): string | undefined {
  if (stringAt(pod['metadata'], 'deletionTimestamp') !== undefined)
    return `pod ${name} is being deleted, cannot be assigned to a host`;
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
  const lastTransitionTime =
    before !== undefined && before['status'] === condition['status'] ? before['lastTransitionTime'] : formatTime(now);
  const after = { ...condition, lastTransitionTime };
  status['conditions'] = at < 0 ? [...conditions, after] : conditions.with(at, after);
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
