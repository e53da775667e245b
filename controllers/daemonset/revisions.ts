import { nextInteger } from '#pkg/base';
import { type ControllerRevision, type DaemonSet, type NewObject, type Pod, resources } from '#pkg/api';
import { controllerReference } from '#pkg/controller';

import { templateHash } from '../internal/go-hash/index.ts';
import { type RevisionDraft, dataOf, sortRevisions, templatePatch } from '../internal/history/index.ts';
import { HASH } from './template.ts';

/** Whether the revision keeps the template that the DaemonSet has now. */
export function isCurrent({ spec }: DaemonSet, revision: ControllerRevision): boolean {
  return dataOf(revision) === templatePatch(spec!.template);
}

export interface Parted {
  /** Of the newest template, the one to keep last; more than one after a race. */
  readonly current: readonly ControllerRevision[];
  /** All others, oldest first. */
  readonly old: readonly ControllerRevision[];
  /** The number that the current one must have at least. */
  readonly next: number;
}

export function part(daemonSet: DaemonSet, revisions: readonly ControllerRevision[]): Parted {
  const sorted = sortRevisions(revisions);
  const current = sorted.filter((revision) => isCurrent(daemonSet, revision));
  const old = sorted.filter((revision) => !current.includes(revision));
  return { current, old, next: nextInteger(old.at(-1)?.revision) };
}

/** The revision of the newest template, not stored yet (`snapshot` in `pkg/controller/daemon/update.go`). */
export function draftRevision(daemonSet: DaemonSet, revision: number): RevisionDraft {
  const { metadata, spec, status } = daemonSet;
  const template = spec!.template;
  const hash = templateHash(template, status?.collisionCount);
  const { annotations = {} } = metadata;
  const object: NewObject<ControllerRevision> = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace!,
      labels: { ...template.metadata?.labels, [HASH]: hash },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [controllerReference(daemonSet, resources.daemonSets)],
    },
    revision,
  };
  return { object, data: templatePatch(template) };
}

/** The oldest revisions beyond the history limit, except those that a Pod was made by (`cleanupHistory`). */
export function obsolete(
  { spec }: DaemonSet,
  old: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly ControllerRevision[] {
  const surplus = old.length - (spec?.revisionHistoryLimit ?? old.length);
  if (surplus <= 0) return [];
  const live = new Set(pods.map((pod) => pod.metadata.labels?.[HASH]));
  return old.filter((revision) => !live.has(revision.metadata.labels?.[HASH])).slice(0, surplus);
}
