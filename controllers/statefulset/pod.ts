import { type NewObject, type Pod, type PodTemplateSpec, type StatefulSet, resources } from '#pkg/api';
import { podFromTemplate } from '#pkg/controller';

import { claimName, claimTemplates } from './claims.ts';
import { REVISION_LABEL, identityLabels, ordinalOf, podName } from './identity.ts';

export type Volumes = NonNullable<NonNullable<Pod['spec']>['volumes']>;

/** Whether the Pod mounts its claims under the names of the set's claim templates. */
export function storageMatches(set: StatefulSet, pod: Pod): boolean {
  const volumes = new Map(pod.spec?.volumes?.map((volume) => [volume.name, volume]));
  return claimTemplates(set).every(
    (template) =>
      volumes.get(template.metadata.name)?.persistentVolumeClaim?.claimName ===
      claimName(set, template, ordinalOf(pod)),
  );
}

/** Volumes of the Pod's claims, and those of `others` whose names they do not take. */
export function withClaimVolumes(set: StatefulSet, ordinal: number, others: Volumes): Volumes {
  const templates = claimTemplates(set);
  const taken = new Set(templates.map(({ metadata }) => metadata.name));
  return [
    ...templates.map((template) => ({
      name: template.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
    })),
    ...others.filter(({ name }) => !taken.has(name)),
  ];
}

/** The Pod of `ordinal` as `template`, that of `revision`, describes it (`newStatefulSetPod`). */
export function newPod(set: StatefulSet, ordinal: number, template: PodTemplateSpec, revision: string): NewObject<Pod> {
  const name = podName(set, ordinal);
  const labels = { ...template.metadata?.labels, ...identityLabels(set, ordinal), [REVISION_LABEL]: revision };
  const pod = podFromTemplate({ ...template, metadata: { ...template.metadata, labels } }, set, resources.statefulSets);
  const { serviceName } = set.spec!;
  const volumes = withClaimVolumes(set, ordinal, pod.spec!.volumes ?? []);
  return {
    ...pod,
    metadata: { ...pod.metadata, name },
    spec: {
      ...pod.spec!,
      hostname: name,
      ...(serviceName ? { subdomain: serviceName } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

/** The volumes of the Pod's claims as a strategic merge patch: a volume of that name is something else no longer. */
export function volumesPatch(set: StatefulSet, ordinal: number): readonly object[] {
  return withClaimVolumes(set, ordinal, []).map((volume) => ({ ...volume, $retainKeys: Object.keys(volume) }));
}
