import { type JsonObject, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { fill, fillEmpty, isEmpty } from './fill.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const WEBHOOK = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 10,
};
const FAST: JsonObject = { type: 'Percent', value: 100, periodSeconds: 15 };

/** The groups around the workloads: autoscaling, networking, storage, RBAC, policy and what configures the server. */
export const clusterDefaults: Readonly<Record<string, (object: JsonObject) => void>> = {
  'autoscaling.v1.HorizontalPodAutoscaler': (object) => fill(ensureObject(object, 'spec'), { minReplicas: 1 }),
  'autoscaling.v2.HorizontalPodAutoscaler': defaultAutoscaler,
  'networking.v1.NetworkPolicyPort': (object) => fill(object, { protocol: 'TCP' }),
  'networking.v1.NetworkPolicy': (object) => {
    const spec = ensureObject(object, 'spec');
    const egress = listAt(spec, 'egress').length > 0;
    fillEmpty(spec, { policyTypes: egress ? ['Ingress', 'Egress'] : ['Ingress'] });
  },
  'networking.v1.IngressClassParametersReference': (object) => fill(object, { scope: 'Cluster' }),
  'storage.v1.StorageClass': (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  'storage.v1.CSIDriverSpec': (object) => {
    fill(object, {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      requiresRepublish: false,
      seLinuxMount: false,
    });
    fillEmpty(object, { volumeLifecycleModes: ['Persistent'] });
  },
  'rbac.v1.RoleRef': (object) => fillEmpty(object, { apiGroup: RBAC_GROUP }),
  'rbac.v1.Subject': (object) => {
    if (object['kind'] === 'User' || object['kind'] === 'Group') fillEmpty(object, { apiGroup: RBAC_GROUP });
  },
  'discovery.v1.EndpointPort': (object) => fill(object, { name: '', protocol: 'TCP' }),
  'scheduling.v1.PriorityClass': (object) => fill(object, { preemptionPolicy: 'PreemptLowerPriority' }),
  'admissionregistration.v1.ValidatingWebhook': (object) => fill(object, WEBHOOK),
  'admissionregistration.v1.MutatingWebhook': (object) => fill(object, { ...WEBHOOK, reinvocationPolicy: 'Never' }),
  'admissionregistration.v1.RuleWithOperations': (object) => fill(object, { scope: '*' }),
  'admissionregistration.v1.NamedRuleWithOperations': (object) => fill(object, { scope: '*' }),
  'admissionregistration.v1.ServiceReference': (object) => fill(object, { port: 443 }),
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': (object) => fill(object, { failurePolicy: 'Fail' }),
  'admissionregistration.v1.MutatingAdmissionPolicySpec': (object) => fill(object, { failurePolicy: 'Fail' }),
  'admissionregistration.v1.MatchResources': (object) =>
    fill(object, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} }),
  'apiregistration.v1.ServiceReference': (object) => fill(object, { port: 443 }),
  'apiextensions.v1.ServiceReference': (object) => fill(object, { port: 443 }),
  'apiextensions.v1.CustomResourceDefinition': defaultResourceDefinition,
  'flowcontrol.v1.FlowSchemaSpec': (object) => fillEmpty(object, { matchingPrecedence: 1000 }),
  'flowcontrol.v1.ExemptPriorityLevelConfiguration': (object) =>
    fill(object, { nominalConcurrencyShares: 0, lendablePercent: 0 }),
  'flowcontrol.v1.LimitedPriorityLevelConfiguration': (object) =>
    fill(object, { nominalConcurrencyShares: 30, lendablePercent: 0 }),
  'flowcontrol.v1.QueuingConfiguration': (object) =>
    fillEmpty(object, { handSize: 8, queues: 64, queueLengthLimit: 50 }),
  'resource.v1.ExactDeviceRequest': countDevices,
  'resource.v1.DeviceSubRequest': countDevices,
};

function defaultAutoscaler(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  fill(spec, { minReplicas: 1 });
  fillEmpty(spec, {
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  });
  const behavior = objectAt(spec, 'behavior');
  if (behavior === undefined) return;
  fill(ensureObject(behavior, 'scaleUp'), {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, FAST],
  });
  fill(ensureObject(behavior, 'scaleDown'), { selectPolicy: 'Max', policies: [FAST] });
}

function defaultResourceDefinition(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  const names = ensureObject(spec, 'names');
  const kind = stringAt(names, 'kind') ?? '';
  if (kind !== '') fillEmpty(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
  fill(spec, { conversion: { strategy: 'None' } });
  const status = ensureObject(object, 'status');
  const stored = objectsAt(spec, 'versions').find((version) => version['storage'] === true);
  if (stored !== undefined) fillEmpty(status, { storedVersions: [stored['name']] });
}

function countDevices(object: JsonObject): void {
  if (object['allocationMode'] === undefined && isEmpty(object['count']))
    Object.assign(object, { allocationMode: 'ExactCount', count: 1 });
  fillEmpty(object, { allocationMode: 'ExactCount' });
  if (object['allocationMode'] === 'ExactCount') fillEmpty(object, { count: 1 });
}
