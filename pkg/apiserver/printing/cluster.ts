import { ownValue } from '#pkg/base';
import { type JsonObject, isJsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { ingressAddresses } from './core.ts';
import {
  NONE,
  annotation,
  condition,
  count,
  firstOf,
  humanDuration,
  isBeingDeleted,
  selectorText,
  text,
} from './format.ts';
import type { Printer, Printers } from './types.ts';

const spec = (object: JsonObject): JsonObject | undefined => objectAt(object, 'spec');
const status = (object: JsonObject): JsonObject | undefined => objectAt(object, 'status');
const UNSET = '<unset>';

const binding: Printer = {
  columns: 'Role|Age|*Users|*Groups|*ServiceAccounts',
  cells: (object, age) => {
    const role = objectAt(object, 'roleRef');
    const subjects = (kind: string): JsonObject[] =>
      objectsAt(object, 'subjects').filter((one) => one['kind'] === kind);
    const names = (kind: string): string =>
      subjects(kind)
        .map((one) => text(one, 'name'))
        .join(', ');
    const accounts = subjects('ServiceAccount').map(
      (one) => `${text(one, 'namespace') === '' ? '' : `${text(one, 'namespace')}/`}${text(one, 'name')}`,
    );
    return [`${text(role, 'kind')}/${text(role, 'name')}`, age, names('User'), names('Group'), accounts.join(', ')];
  },
};

const webhooks: Printer = {
  columns: '#Webhooks|Age',
  cells: (object, age) => [listAt(object, 'webhooks').length, age],
};
const policyBinding: Printer = {
  columns: 'PolicyName|ParamRef|Age',
  cells: (object, age) => [text(spec(object), 'policyName'), paramReference(objectAt(spec(object), 'paramRef')), age],
};
const ageOnly: Printer = { columns: 'Age', cells: (_, age) => [age] };

function policy(list: string, column: string): Printer {
  return {
    columns: `#${column}|ParamKind|Age`,
    cells: (object, age) => {
      const kind = objectAt(spec(object), 'paramKind');
      return [
        listAt(spec(object), list).length,
        kind === undefined ? UNSET : `${text(kind, 'apiVersion')}/${text(kind, 'kind')}`,
        age,
      ];
    },
  };
}

export const clusterPrinters: Printers = {
  'rbac.authorization.k8s.io/RoleBinding': binding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': binding,
  'coordination.k8s.io/Lease': {
    columns: 'Holder|Age',
    cells: (object, age) => [text(spec(object), 'holderIdentity'), age],
  },
  'networking.k8s.io/Ingress': {
    columns: 'Class|Hosts|Address|Ports|Age',
    cells: (object, age) => [
      text(spec(object), 'ingressClassName', NONE),
      hosts(objectsAt(spec(object), 'rules')),
      ingressAddresses(object).join(','),
      listAt(spec(object), 'tls').length > 0 ? '80, 443' : '80',
      age,
    ],
  },
  'networking.k8s.io/IngressClass': {
    columns: 'Controller|Parameters|Age',
    cells: (object, age) => [text(spec(object), 'controller'), parameters(objectAt(spec(object), 'parameters')), age],
    name: (object, name) => markDefault(object, name, 'ingressclass.kubernetes.io/is-default-class'),
  },
  'networking.k8s.io/NetworkPolicy': {
    columns: 'Pod-Selector|Age',
    cells: (object, age) => [selectorText(objectAt(spec(object), 'podSelector')), age],
  },
  'networking.k8s.io/ServiceCIDR': {
    columns: 'CIDRs|Age',
    cells: (object, age) => [listAt(spec(object), 'cidrs').join(','), age],
  },
  'networking.k8s.io/IPAddress': {
    columns: 'ParentRef',
    cells: (object) => [parentReference(objectAt(spec(object), 'parentRef'))],
  },
  'discovery.k8s.io/EndpointSlice': {
    columns: 'AddressType|Ports|Endpoints|Age',
    cells: (object, age) => {
      const ports = objectsAt(object, 'ports').map((port) =>
        typeof port['port'] === 'number' ? String(port['port']) : (stringAt(port, 'name') ?? '*'),
      );
      const addresses = objectsAt(object, 'endpoints').flatMap((endpoint) => listAt(endpoint, 'addresses').map(String));
      return [text(object, 'addressType'), firstOf(ports, 3, UNSET) || UNSET, firstOf(addresses, 3, UNSET), age];
    },
  },
  'storage.k8s.io/StorageClass': {
    columns: 'Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age',
    cells: (object, age) => [
      text(object, 'provisioner'),
      text(object, 'reclaimPolicy', 'Delete'),
      text(object, 'volumeBindingMode', 'Immediate'),
      object['allowVolumeExpansion'] === true,
      age,
    ],
    name: (object, name) => markDefault(object, name, 'storageclass.kubernetes.io/is-default-class'),
  },
  'storage.k8s.io/VolumeAttributesClass': {
    columns: 'DriverName|Age',
    cells: (object, age) => [text(object, 'driverName'), age],
  },
  'storage.k8s.io/VolumeAttachment': {
    columns: 'Attacher|PV|Node|?Attached|Age',
    cells: (object, age) => [
      text(spec(object), 'attacher'),
      text(objectAt(spec(object), 'source'), 'persistentVolumeName'),
      text(spec(object), 'nodeName'),
      status(object)?.['attached'] === true,
      age,
    ],
  },
  'storage.k8s.io/CSINode': {
    columns: '#Drivers|Age',
    cells: (object, age) => [listAt(spec(object), 'drivers').length, age],
  },
  'storage.k8s.io/CSIDriver': {
    columns: '?AttachRequired|?PodInfoOnMount|?StorageCapacity|TokenRequests|?RequiresRepublish|Modes|Age',
    cells: (object, age) => [
      spec(object)?.['attachRequired'] !== false,
      spec(object)?.['podInfoOnMount'] === true,
      spec(object)?.['storageCapacity'] === true,
      spec(object)?.['tokenRequests'] === undefined
        ? UNSET
        : objectsAt(spec(object), 'tokenRequests')
            .map((one) => text(one, 'audience'))
            .join(','),
      spec(object)?.['requiresRepublish'] === true,
      listAt(spec(object), 'volumeLifecycleModes').join(',') || NONE,
      age,
    ],
  },
  'storage.k8s.io/CSIStorageCapacity': {
    columns: 'StorageClassName|Capacity',
    cells: (object) => [text(object, 'storageClassName'), text(object, 'capacity', UNSET)],
  },
  'scheduling.k8s.io/PriorityClass': {
    columns: '#Value|?Global-Default|Age|PreemptionPolicy',
    cells: (object, age) => [
      count(object, 'value'),
      object['globalDefault'] === true,
      age,
      text(object, 'preemptionPolicy'),
    ],
  },
  'node.k8s.io/RuntimeClass': { columns: 'Handler|Age', cells: (object, age) => [text(object, 'handler'), age] },
  'autoscaling/HorizontalPodAutoscaler': {
    columns: 'Reference|Targets|MinPods|MaxPods|Replicas|Age',
    cells: (object, age) => {
      const target = objectAt(spec(object), 'scaleTargetRef');
      return [
        `${text(target, 'kind')}/${text(target, 'name')}`,
        firstOf(metrics(object), 2, NONE, ', '),
        text(spec(object), 'minReplicas', UNSET),
        count(spec(object), 'maxReplicas'),
        count(status(object), 'currentReplicas'),
        age,
      ];
    },
  },
  'certificates.k8s.io/CertificateSigningRequest': {
    columns: 'Age|SignerName|Requestor|RequestedDuration|Condition',
    cells: (object, age) => {
      const seconds = spec(object)?.['expirationSeconds'];
      const duration = typeof seconds === 'number' ? humanDuration(seconds * 1000) : NONE;
      return [
        age,
        text(spec(object), 'signerName', NONE),
        text(spec(object), 'username'),
        duration,
        signingStatus(object),
      ];
    },
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': policy('validations', 'Validations'),
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': policy('mutations', 'Mutations'),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBinding,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': policyBinding,
  'apiregistration.k8s.io/APIService': {
    columns: 'Service|Available|Age',
    cells: (object, age) => {
      const service = objectAt(spec(object), 'service');
      const available = condition(object, 'Available');
      const state = text(available, 'status', 'Unknown');
      const reason = text(available, 'reason');
      return [
        service === undefined ? 'Local' : `${text(service, 'namespace')}/${text(service, 'name')}`,
        state === 'True' || reason === '' ? state : `${state} (${reason})`,
        age,
      ];
    },
  },
  'flowcontrol.apiserver.k8s.io/FlowSchema': {
    columns: 'PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL',
    cells: (object, age) => [
      text(objectAt(spec(object), 'priorityLevelConfiguration'), 'name'),
      count(spec(object), 'matchingPrecedence'),
      text(objectAt(spec(object), 'distinguisherMethod'), 'type', NONE),
      age,
      text(condition(object, 'Dangling'), 'status', '?'),
    ],
  },
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': {
    columns: 'Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age',
    cells: (object, age) => {
      const limited = objectAt(spec(object), 'limited');
      const queuing = objectAt(objectAt(limited, 'limitResponse'), 'queuing');
      const numbers = [
        limited?.['nominalConcurrencyShares'],
        ...['queues', 'handSize', 'queueLengthLimit'].map((key) => ownValue(queuing, key)),
      ];
      return [text(spec(object), 'type'), ...numbers.map((one) => one ?? NONE), age];
    },
  },
  'resource.k8s.io/DeviceClass': ageOnly,
  'resource.k8s.io/ResourceClaimTemplate': ageOnly,
  'resource.k8s.io/ResourceClaim': { columns: 'State|Age', cells: (object, age) => [claimState(object), age] },
  'resource.k8s.io/ResourceSlice': {
    columns: 'Node|Driver|Pool|Age',
    cells: (object, age) => [
      text(spec(object), 'nodeName'),
      text(spec(object), 'driver'),
      text(objectAt(spec(object), 'pool'), 'name'),
      age,
    ],
  },
};

function markDefault(object: JsonObject, name: string, key: string): string {
  return annotation(object, key) === 'true' ? `${name} (default)` : name;
}

/** Only the first three rules are looked at, whether they name a host or not. */
function hosts(rules: readonly JsonObject[]): string {
  const named = rules.map((rule) => text(rule, 'host')).filter((host) => host !== '');
  if (named.length === 0) return '*';
  const shown = named.slice(0, 3).join(',');
  return named.length >= 3 && rules.length > 3 ? `${shown} + ${rules.length - 3} more...` : shown;
}

function parameters(reference: JsonObject | undefined): string {
  if (reference === undefined) return NONE;
  const group = stringAt(reference, 'apiGroup');
  return `${text(reference, 'kind')}${group === undefined ? '' : `.${group}`}/${text(reference, 'name')}`;
}

function parentReference(reference: JsonObject | undefined): string {
  if (reference === undefined) return NONE;
  const group = text(reference, 'group');
  const namespace = text(reference, 'namespace');
  const resource = `${text(reference, 'resource')}${group === '' ? '' : `.${group}`}`.toLowerCase();
  return `${resource}${namespace === '' ? '' : `/${namespace}`}/${text(reference, 'name')}`;
}

function paramReference(reference: JsonObject | undefined): string {
  if (reference === undefined) return UNSET;
  const name = text(reference, 'name');
  if (name !== '') return `${text(reference, 'namespace', '*')}/${name}`;
  const selector = objectAt(reference, 'selector');
  return selector === undefined ? UNSET : selectorText(selector);
}

function signingStatus(object: JsonObject): string {
  const has = (type: string): boolean => condition(object, type) !== undefined;
  let result = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  if (has('Failed')) result += ',Failed';
  if (text(status(object), 'certificate') !== '') result += ',Issued';
  return result;
}

function claimState(object: JsonObject): string {
  const states: string[] = [];
  if (isBeingDeleted(object)) states.push('deleted');
  if (isJsonObject(status(object)?.['allocation'])) {
    states.push('allocated');
    if (listAt(status(object), 'reservedFor').length > 0) states.push('reserved');
  } else if (!isBeingDeleted(object)) states.push('pending');
  return states.join(',');
}

const METRIC_FIELDS: Readonly<Record<string, string>> = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
};

/** `cpu: 40%/80%`, `5/10 (avg)`: what is measured against what is wanted. */
function metrics(object: JsonObject): string[] {
  // autoscaling/v1 knows the processor alone.
  const percentage = spec(object)?.['targetCPUUtilizationPercentage'];
  if (typeof percentage === 'number') {
    const current = status(object)?.['currentCPUUtilizationPercentage'];
    return [`cpu: ${typeof current === 'number' ? `${current}%` : '<unknown>'}/${percentage}%`];
  }
  const current = objectsAt(status(object), 'currentMetrics');
  return objectsAt(spec(object), 'metrics').map((metric, index) => {
    const field = ownValue(METRIC_FIELDS, text(metric, 'type'));
    if (field === undefined) return '<unknown type>';
    const source = objectAt(metric, field);
    const target = objectAt(source, 'target');
    const measured = objectAt(objectAt(current[index], field), 'current');
    if (field === 'resource' || field === 'containerResource') {
      const prefix = `${text(source, 'name')}: `;
      if (target?.['averageValue'] !== undefined)
        return `${prefix}${text(measured, 'averageValue', '<unknown>')}/${text(target, 'averageValue')}`;
      return `${prefix}${percent(measured) ?? '<unknown>'}/${percent(target) ?? '<auto>'}`;
    }
    const average = target?.['averageValue'] !== undefined;
    const key = average ? 'averageValue' : 'value';
    const suffix = average && field !== 'pods' ? ' (avg)' : '';
    return `${text(measured, key, '<unknown>')}/${text(target, key)}${suffix}`;
  });
}

function percent(values: JsonObject | undefined): string | undefined {
  const value = values?.['averageUtilization'];
  return typeof value === 'number' ? `${value}%` : undefined;
}
