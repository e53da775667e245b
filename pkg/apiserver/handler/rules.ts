/** By stored resource: may be written without saying which revision was read (`AllowUnconditionalUpdate`). */
const CONDITIONAL = new Set([
  'leases.coordination.k8s.io',
  'runtimeclasses.node.k8s.io',
  'poddisruptionbudgets.policy',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'csistoragecapacities.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
]);

/** By stored resource: a PUT of what is not there creates it (`AllowCreateOnUpdate`). */
const CREATED_BY_UPDATE = new Set([
  'endpoints',
  'events',
  'limitranges',
  'services',
  'leases.coordination.k8s.io',
  'runtimeclasses.node.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
]);

export type GarbagePolicy = 'delete' | 'orphan' | 'unsupported';

export const allowsUnconditionalUpdate = (storage: string): boolean => !CONDITIONAL.has(storage);
export const allowsCreateOnUpdate = (storage: string): boolean => CREATED_BY_UPDATE.has(storage);

/** What happens to dependents when nobody says (`DefaultGarbageCollectionPolicy`). */
export function garbagePolicy(storage: string): GarbagePolicy {
  if (storage === 'events') return 'unsupported';
  return storage === 'jobs.batch' || storage === 'replicationcontrollers' ? 'orphan' : 'delete';
}
