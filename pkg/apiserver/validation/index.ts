import { ownValue } from '#pkg/base';

/**
 * What is wrong with an object, in upstream's words (`pkg/apis/<group>/validation`): the rules that people run into, kind by kind;
 * a kind without rules of its own has its metadata checked.
 *
 *     const errors = validateCreate(type, object);
 *     if (errors.length > 0) throw new ApiError(invalidStatus(type, name, errors));
 */
import { type JsonObject, objectAt } from '../json.ts';
import type { ObjectType } from '../schema/index.ts';
import { checkDefinition, checkDefinitionName, checkDefinitionUpdate } from '../custom-resources/definition-rules.ts';
import { checkCronJob, checkJob, checkJobUpdate } from './batch.ts';
import * as cluster from './cluster.ts';
import * as core from './core.ts';
import { checkDisruptionBudget, checkDisruptionBudgetStatus } from './disruption-budgets.ts';
import { checkEndpointSlice, checkEndpointSliceUpdate } from './endpoint-slices.ts';
import { checkEndpoints, checkEndpointsUpdate } from './endpoints.ts';
import { type FieldError, Problems } from './errors.ts';
import { checkJobStatus } from './job-status.ts';
import { checkMetadata, checkMetadataUpdate, nameRuleOf } from './metadata.ts';
import { checkPod, checkPodUpdate, checkTemplate } from './pods.ts';
import { checkService, checkServiceUpdate } from './services.ts';
import { checkClaimSpec, checkClaimUpdate, checkStorageClass, checkVolumeSpec, checkVolumeUpdate } from './storage.ts';
import * as workloads from './workloads.ts';

export { endpointsWarnings } from './endpoints.ts';
export { type FieldError, Problems, invalidStatus } from './errors.ts';

type Check = (problems: Problems, object: JsonObject) => void;
type CheckUpdate = (problems: Problems, object: JsonObject, old: JsonObject, subresource?: string) => void;

interface Rules {
  readonly check?: Check;
  /** Checks new objects alone. */
  readonly create?: Check;
  readonly update?: CheckUpdate;
  /** Checks updates of the status alone. */
  readonly status?: CheckUpdate;
  /** An update is held to `update` alone. */
  readonly updateOnly?: boolean;
}

const onSpec =
  (check: Check): Check =>
  (problems, object) =>
    check(problems, objectAt(object, 'spec') ?? {});
const onSpecs =
  (check: CheckUpdate): CheckUpdate =>
  (problems, object, old) =>
    check(problems, objectAt(object, 'spec') ?? {}, objectAt(old, 'spec') ?? {});
const keepSelector = onSpecs(workloads.checkSelectorKept);

const RULES: Readonly<Record<string, Rules>> = {
  '/ConfigMap': {
    check: core.checkConfigMap,
    update: (problems, object, old) => core.checkImmutable(problems, object, old, ['data', 'binaryData']),
  },
  '/Secret': { check: core.checkSecret, update: core.checkSecretUpdate },
  '/Service': { check: checkService, update: checkServiceUpdate },
  '/Endpoints': { check: checkEndpoints, update: checkEndpointsUpdate, updateOnly: true },
  '/Pod': { check: checkPod, update: checkPodUpdate, updateOnly: true },
  '/PodTemplate': { check: (problems, object) => checkTemplate(problems, objectAt(object, 'template'), 'template') },
  '/ReplicationController': { check: onSpec(workloads.checkReplicationController) },
  '/PersistentVolumeClaim': { check: onSpec(checkClaimSpec), update: checkClaimUpdate },
  '/PersistentVolume': { check: onSpec(checkVolumeSpec), update: checkVolumeUpdate },
  '/ResourceQuota': { check: core.checkQuota },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    check: checkDefinition,
    create: checkDefinitionName,
    update: checkDefinitionUpdate,
  },
  'apps/Deployment': { check: onSpec(workloads.checkDeployment), update: keepSelector },
  'apps/ReplicaSet': { check: onSpec(workloads.checkReplicaSet), update: keepSelector },
  'apps/DaemonSet': { check: onSpec(workloads.checkDaemonSet), update: keepSelector },
  'apps/StatefulSet': { check: onSpec(workloads.checkStatefulSet), update: onSpecs(workloads.checkStatefulSetUpdate) },
  'batch/Job': { check: checkJob, update: checkJobUpdate, status: checkJobStatus },
  'batch/CronJob': { check: checkCronJob },
  'policy/PodDisruptionBudget': { check: checkDisruptionBudget, status: checkDisruptionBudgetStatus },
  'rbac.authorization.k8s.io/Role': { check: (problems, object) => cluster.checkRole(problems, object, true) },
  'rbac.authorization.k8s.io/ClusterRole': { check: (problems, object) => cluster.checkRole(problems, object, false) },
  'rbac.authorization.k8s.io/RoleBinding': {
    check: (problems, object) => cluster.checkRoleBinding(problems, object, true),
    update: cluster.checkRoleReferenceKept,
  },
  'rbac.authorization.k8s.io/ClusterRoleBinding': {
    check: (problems, object) => cluster.checkRoleBinding(problems, object, false),
    update: cluster.checkRoleReferenceKept,
  },
  'coordination.k8s.io/Lease': { check: cluster.checkLease },
  'autoscaling/HorizontalPodAutoscaler': { check: cluster.checkAutoscaler },
  'networking.k8s.io/Ingress': { check: cluster.checkIngress },
  'networking.k8s.io/NetworkPolicy': { check: cluster.checkNetworkPolicy },
  'discovery.k8s.io/EndpointSlice': { check: checkEndpointSlice, update: checkEndpointSliceUpdate, updateOnly: true },
  'scheduling.k8s.io/PriorityClass': { check: cluster.checkPriorityClass },
  'storage.k8s.io/StorageClass': { check: checkStorageClass },
};

function rulesOf(type: ObjectType): Rules {
  return ownValue(RULES, `${type.group}/${type.kind}`) ?? {};
}

/** Reviews and other requests that are answered, not stored, have no name. */
function isNameless(object: JsonObject): boolean {
  return objectAt(object, 'metadata') === undefined;
}

/** What is wrong with a new object, defaulted and prepared. */
export function validateCreate(type: ObjectType, object: JsonObject): FieldError[] {
  const problems = new Problems();
  if (!isNameless(object)) checkMetadata(problems, objectAt(object, 'metadata')!, nameRuleOf(type.group, type.kind));
  const { check, create } = rulesOf(type);
  create?.(problems, object);
  check?.(problems, object);
  return problems.list;
}

/** What is wrong with an update of `old`, prepared. */
export function validateUpdate(
  type: ObjectType,
  object: JsonObject,
  old: JsonObject,
  subresource?: string,
): FieldError[] {
  const problems = new Problems();
  const metadata = objectAt(object, 'metadata') ?? {};
  checkMetadata(problems, metadata, () => []);
  checkMetadataUpdate(problems, metadata, objectAt(old, 'metadata') ?? {});
  const { check, update, status, updateOnly = false } = rulesOf(type);
  if (subresource === 'status') {
    status?.(problems, object, old);
    return problems.list;
  }
  if (!updateOnly) check?.(problems, object);
  update?.(problems, object, old, subresource);
  return problems.list;
}
