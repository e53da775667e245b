import { semanticEqual, ownValue, setOwnValue, parseGoInteger } from '#pkg/base';
import {
  type JsonObject,
  cloneJson,
  ensureObject,
  isJsonObject,
  listAt,
  objectAt,
  objectsAt,
  stringAt,
} from '../json.ts';
import type { ObjectType } from '../schema/index.ts';
import { podStrategy } from './pods.ts';
import { dropTypeDependentFields } from './services.ts';
import type { PrepareContext, Strategy } from './strategy.ts';

const PLAIN: Strategy = {};
const BY_SPEC: Strategy = { generation: ['spec'] };

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  'apps/Deployment': {
    generation: ['spec', 'metadata.annotations'],
    subresources: {
      status: (object, old) => {
        copyFrom(object, old, 'spec');
        copyFrom(ensureObject(object, 'metadata'), ensureObject(old, 'metadata'), 'labels');
      },
    },
  },
  'apps/DaemonSet': { generation: ['spec'], create: startTemplateGeneration, update: countTemplateGeneration },
  'apps/ReplicaSet': BY_SPEC,
  'apps/StatefulSet': BY_SPEC,
  'batch/CronJob': BY_SPEC,
  'batch/Job': { generation: ['spec'], create: generateJobSelector },
  'policy/PodDisruptionBudget': BY_SPEC,
  'networking.k8s.io/Ingress': BY_SPEC,
  'networking.k8s.io/IngressClass': BY_SPEC,
  'networking.k8s.io/NetworkPolicy': BY_SPEC,
  'discovery.k8s.io/EndpointSlice': { generation: ['endpoints', 'ports', 'addressType', 'metadata.labels'] },
  'resource.k8s.io/DeviceClass': BY_SPEC,
  'resource.k8s.io/ResourceSlice': BY_SPEC,
  'flowcontrol.apiserver.k8s.io/FlowSchema': BY_SPEC,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': BY_SPEC,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': BY_SPEC,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': BY_SPEC,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': BY_SPEC,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': BY_SPEC,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': { generation: ['webhooks'] },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': { generation: ['webhooks'] },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    generation: ['spec'],
    create: recordStorageVersion,
    update: recordStorageVersion,
  },
  'scheduling.k8s.io/PriorityClass': { generation: [] },
  'certificates.k8s.io/CertificateSigningRequest': {
    create: recordRequester,
    update: (object, old) => copyFrom(object, old, 'spec'),
    subresources: { approval: approveOnly },
  },
  '/Namespace': {
    create: activateNamespace,
    update: (object, old) => copyFrom(ensureObject(object, 'spec'), ensureObject(old, 'spec'), 'finalizers'),
    subresources: { finalize: (object, old) => copyFrom(object, old, 'status') },
  },
  '/Node': { keepsStatusOnCreate: true },
  '/PersistentVolume': { create: pendingVolume, subresources: { status: volumeStatus } },
  '/PersistentVolumeClaim': { create: pendingClaim },
  '/Pod': podStrategy,
  '/PodTemplate': { generation: ['template'] },
  '/ReplicationController': BY_SPEC,
  '/Secret': { update: (object, old) => void (object['type'] ||= old['type']) },
  '/Service': { update: dropTypeDependentFields },
};

export function strategyOf(type: ObjectType): Strategy {
  return ownValue(STRATEGIES, `${type.group}/${type.kind}`) ?? PLAIN;
}

function copyFrom(object: JsonObject, old: JsonObject, key: string): void {
  if (ownValue(old, key) === undefined) delete object[key];
  else setOwnValue(object, key, cloneJson(ownValue(old, key)));
}

/** Versions in which objects may have been stored; only who has rewritten them all takes one away. */
function recordStorageVersion(object: JsonObject): void {
  const storage = objectsAt(object['spec'], 'versions').find((version) => version['storage'] === true);
  const status = ensureObject(object, 'status');
  const stored = listAt(status, 'storedVersions');
  if (storage !== undefined && !stored.includes(storage['name']))
    status['storedVersions'] = [...stored, storage['name']];
}

/** What apps/v1 keeps of the field that older versions had. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function startTemplateGeneration(object: JsonObject): void {
  const annotations = ensureObject(ensureObject(object, 'metadata'), 'annotations');
  if ((parseGoInteger(stringAt(annotations, TEMPLATE_GENERATION), 64) ?? 0n) < 1n)
    annotations[TEMPLATE_GENERATION] = '1';
}

function countTemplateGeneration(object: JsonObject, old: JsonObject): void {
  const before = parseGoInteger(stringAt(objectAt(old['metadata'], 'annotations'), TEMPLATE_GENERATION), 64) ?? 1n;
  const changed = !semanticEqual(objectAt(object['spec'], 'template'), objectAt(old['spec'], 'template'));
  ensureObject(ensureObject(object, 'metadata'), 'annotations')[TEMPLATE_GENERATION] = String(
    changed ? before + 1n : before,
  );
}

/**
 * Unless the user chose it, the selector is made of the Job's uid, and its Pods carry it (`generateSelector`). A Job that has
 * its template's labels by default has these too.
 */
function generateJobSelector(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  if (spec['manualSelector'] === true) return;
  const metadata = ensureObject(object, 'metadata');
  const { name, uid } = metadata;
  const labels = ensureObject(ensureObject(ensureObject(spec, 'template'), 'metadata'), 'labels');
  const shared = semanticEqual(objectAt(metadata, 'labels') ?? {}, labels);
  labels['job-name'] ??= name;
  labels['batch.kubernetes.io/job-name'] ??= name;
  labels['controller-uid'] ??= uid;
  labels['batch.kubernetes.io/controller-uid'] ??= uid;
  if (shared) metadata['labels'] = { ...labels };
  ensureObject(ensureObject(spec, 'selector'), 'matchLabels')['batch.kubernetes.io/controller-uid'] ??= uid;
}

function activateNamespace(object: JsonObject): void {
  object['status'] = { phase: 'Active' };
  const spec = ensureObject(object, 'spec');
  const finalizers = listAt(spec, 'finalizers');
  if (!finalizers.includes('kubernetes')) spec['finalizers'] = [...finalizers, 'kubernetes'];
}

function pendingVolume(object: JsonObject, { time }: PrepareContext): void {
  object['status'] = { phase: 'Pending', ...(time === undefined ? {} : { lastPhaseTransitionTime: time }) };
}

function volumeStatus(object: JsonObject, old: JsonObject, { time }: PrepareContext): void {
  copyFrom(object, old, 'spec');
  const status = ensureObject(object, 'status');
  const before = objectAt(old, 'status') ?? {};
  const key = 'lastPhaseTransitionTime';
  if (status['phase'] === before['phase']) {
    if (before[key] !== undefined) status[key] ??= before[key];
  } else if (time !== undefined && (status[key] === undefined || status[key] === before[key])) status[key] = time;
}

function pendingClaim(object: JsonObject): void {
  object['status'] = { phase: 'Pending' };
  const spec = ensureObject(object, 'spec');
  const source = objectAt(spec, 'dataSource');
  const reference = objectAt(spec, 'dataSourceRef');
  if (source !== undefined && reference === undefined) spec['dataSourceRef'] = cloneJson(source);
  else if (
    reference !== undefined &&
    source === undefined &&
    stringAt(reference, 'namespace') === undefined &&
    isKnownSource(reference)
  ) {
    spec['dataSource'] = cloneJson(reference);
  }
}

function isKnownSource(reference: JsonObject): boolean {
  const kind = stringAt(reference, 'kind');
  const group = stringAt(reference, 'apiGroup') ?? '';
  return (
    (kind === 'PersistentVolumeClaim' && group === '') ||
    (kind === 'VolumeSnapshot' && group === 'snapshot.storage.k8s.io')
  );
}

function recordRequester(object: JsonObject, { user }: PrepareContext): void {
  object['status'] = {};
  const spec = ensureObject(object, 'spec');
  for (const key of ['username', 'uid', 'groups', 'extra']) delete spec[key];
  if (user === undefined) return;
  spec['username'] = user.username;
  if (user.uid !== undefined && user.uid !== '') spec['uid'] = user.uid;
  if (user.groups.length > 0) spec['groups'] = [...user.groups];
  if (user.extra !== undefined && Object.keys(user.extra).length > 0) spec['extra'] = cloneJson(user.extra);
}

/** Approval writes conditions alone, and stamps those that are new. */
function approveOnly(object: JsonObject, old: JsonObject, { time }: PrepareContext): void {
  const conditions = objectsAt(object['status'], 'conditions');
  const before = objectsAt(old['status'], 'conditions');
  for (const condition of conditions) {
    const known = before.find((one) => one['type'] === condition['type'] && one['status'] === condition['status']);
    if (time === undefined) continue;
    condition['lastUpdateTime'] ??= time;
    condition['lastTransitionTime'] ??= known?.['lastTransitionTime'] ?? time;
  }
  copyFrom(object, old, 'spec');
  object['status'] = {
    ...(isJsonObject(old['status']) ? old['status'] : {}),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}
