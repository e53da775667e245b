import type { KubeObject, NewObject, Pod, PodTemplateSpec, ResourceType } from '#pkg/api';

import { ControllerError } from '../errors.ts';
import { controllerReference } from '../objects/owner-reference.ts';

const LONGEST_NAME = 253;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * What the server makes Pod names from: the owner's name and a dash, without the dash where that would be no name
 * (`getPodsPrefix` in `pkg/controller/controller_utils.go`).
 */
export function podNamePrefix(ownerName: string): string {
  // As upstream's validation of a prefix does: its last letter and the dash stand for one letter to come.
  const sample = `${ownerName.slice(0, -1)}a`;
  return ownerName !== '' && sample.length <= LONGEST_NAME && SUBDOMAIN.test(sample) ? `${ownerName}-` : ownerName;
}

/** A Pod as `template` describes it, managed by `owner`. Throws `InvalidTemplate` for one without labels. */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject, ownerType: ResourceType): NewObject<Pod> {
  const { labels = {}, annotations = {}, finalizers = [] } = (template.metadata ?? {}) as NewObject<Pod>['metadata'];
  if (Object.keys(labels).length === 0)
    throw new ControllerError('InvalidTemplate', 'unable to create pods, no labels', {});
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: podNamePrefix(owner.metadata.name),
      namespace: owner.metadata.namespace,
      labels,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(finalizers.length > 0 ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner, ownerType)],
    },
    spec: template.spec,
  };
}
