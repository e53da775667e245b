import { parseGoInteger } from '#pkg/base';
import type { DaemonSet, Pod, PodSpec, PodTemplateSpec } from '#pkg/api';

import type { Toleration } from '../internal/placement/index.ts';

/** Label with the hash of the revision that a Pod was made by, and of the revision itself. */
export const HASH = 'controller-revision-hash';
const GENERATION = 'pod-template-generation';
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
const NODE_NAME = 'metadata.name';

const survives = (key: string): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute' });
const ignores = (key: string): Toleration => ({ key, operator: 'Exists', effect: 'NoSchedule' });

/** A daemon belongs to its node, whatever state that is in. */
const TOLERATIONS: readonly Toleration[] = [
  survives('node.kubernetes.io/not-ready'),
  survives('node.kubernetes.io/unreachable'),
  ignores('node.kubernetes.io/disk-pressure'),
  ignores('node.kubernetes.io/memory-pressure'),
  ignores('node.kubernetes.io/pid-pressure'),
  ignores('node.kubernetes.io/unschedulable'),
];
const HOST_NETWORK: Toleration = ignores('node.kubernetes.io/network-unavailable');

/**
 * The template's tolerations and those that every daemon gets (`AddOrUpdateDaemonPodTolerations` in
 * `pkg/controller/daemon/util`). One of the same key and effect is replaced in its place where operator and value are the
 * same too, as `AddOrUpdateTolerationInPodSpec` has it.
 */
export function daemonTolerations(
  spec: Pick<PodSpec, 'tolerations' | 'hostNetwork'> | undefined,
): readonly Toleration[] {
  const tolerations = [...(spec?.tolerations ?? [])];
  for (const added of spec?.hostNetwork ? [...TOLERATIONS, HOST_NETWORK] : TOLERATIONS) {
    const at = tolerations.findIndex((known) => sameToleration(known, added));
    if (at < 0) tolerations.push(added);
    else tolerations[at] = added;
  }
  return tolerations;
}

/** All but the seconds is the same (`Toleration.MatchToleration`). */
function sameToleration(a: Toleration, b: Toleration): boolean {
  return (
    a.key === b.key && a.effect === b.effect && (a.operator ?? '') === b.operator && (a.value ?? '') === (b.value ?? '')
  );
}

/** The generation that the API server counts in an annotation; undefined where it is missing or no number. */
export function templateGeneration(daemonSet: DaemonSet): string | undefined {
  return parseGoInteger(daemonSet.metadata.annotations?.[TEMPLATE_GENERATION], 64)?.toString();
}

/** The template of Pods of this hash, without a node (`CreatePodTemplate`). */
export function podTemplate(daemonSet: DaemonSet, hash: string): PodTemplateSpec {
  const template = daemonSet.spec!.template;
  const generation = templateGeneration(daemonSet);
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: {
        ...template.metadata?.labels,
        ...(generation === undefined ? {} : { [GENERATION]: generation }),
        [HASH]: hash,
      },
    },
    spec: { ...template.spec!, tolerations: daemonTolerations(template.spec) },
  };
}

/**
 * The template for one node: the scheduler puts the Pod there and nowhere else. The required affinity of the template
 * has done its work by then and gives way (`ReplaceDaemonSetPodNodeNameNodeAffinity`).
 */
export function forNode(template: PodTemplateSpec, node: string): PodTemplateSpec {
  const spec = template.spec!;
  const required = { nodeSelectorTerms: [{ matchFields: [{ key: NODE_NAME, operator: 'In', values: [node] }] }] };
  const nodeAffinity = { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required };
  return { ...template, spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity } } };
}

/** The node a Pod is on, or is meant for by {@link forNode}; undefined for a Pod of no node. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const named = matchFields.find(({ key, operator }) => key === NODE_NAME && operator === 'In');
    if (named) return named.values?.length === 1 ? named.values[0] : undefined;
  }
  return undefined;
}

/** Whether the Pod is of the newest template: by hash or, as very old ones, by generation (`IsPodUpdated`). */
export function isUpdated(pod: Pod, hash: string, generation: string | undefined): boolean {
  const { labels = {} } = pod.metadata;
  return (hash !== '' && labels[HASH] === hash) || (generation !== undefined && labels[GENERATION] === generation);
}
