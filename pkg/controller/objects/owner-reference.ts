import { type KubeObject, type OwnerReference, type ResourceType, apiVersionOf } from '#pkg/api';

/** The reference by which `owner` manages a dependent (`metav1.NewControllerRef`). */
export function controllerReference(owner: KubeObject, type: ResourceType): Required<OwnerReference> {
  const { name, uid } = owner.metadata;
  return { apiVersion: apiVersionOf(type), kind: type.kind, name, uid, controller: true, blockOwnerDeletion: true };
}
