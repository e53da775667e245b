import { type ControllerRevision, type PodTemplateSpec, type StatefulSet, resources } from '#pkg/api';

import {
  type RevisionDraft,
  dataOf,
  newRevision,
  nextRevision,
  templateOf,
  roundedTemplatePatch,
  templatePatch,
} from '../internal/history/index.ts';
import { withTemplateDefaults } from './template-defaults.ts';

/** What must be written before the set has the revision of its template. */
export type UpdateRevision =
  | { readonly kind: 'keep'; readonly revision: ControllerRevision }
  /** Rolled back to: it becomes the newest. */
  | { readonly kind: 'renumber'; readonly revision: ControllerRevision; readonly number: number }
  | { readonly kind: 'create'; readonly draft: RevisionDraft };

export interface RevisionRules {
  /** Gate StatefulSetSemanticRevisionComparison. */
  readonly semantic: boolean;
}

/** The revision for the set's template among sorted ones (`getStatefulSetRevisions` in `stateful_set_control.go`). */
export function decideUpdateRevision(
  set: StatefulSet,
  sorted: readonly ControllerRevision[],
  { semantic }: RevisionRules,
): UpdateRevision {
  const { template } = set.spec!;
  const data = roundedTemplatePatch(template);
  const newest = sorted.at(-1);
  const number = nextRevision(sorted);
  const equal = sorted.findLast((revision) => dataOf(revision) === data);
  if (equal)
    return equal === newest ? { kind: 'keep', revision: equal } : { kind: 'renumber', revision: equal, number };
  if (newest && semantic && meansTheSame(newest, data)) return { kind: 'keep', revision: newest };
  const draft = newRevision({
    owner: set,
    ownerType: resources.statefulSets,
    data,
    labels: template.metadata?.labels ?? {},
    annotations: set.metadata.annotations ?? {},
    revision: number,
    collisionCount: set.status?.collisionCount ?? 0,
  });
  return { kind: 'create', draft };
}

const meanings = new WeakMap<ControllerRevision, string>();

/** Whether the revision's template is, with the defaults of today, what `data` holds: another server may have stored it. */
function meansTheSame(revision: ControllerRevision, data: string): boolean {
  let meaning = meanings.get(revision);
  if (meaning === undefined) {
    const template = templateOf(revision);
    meaning = template ? roundedTemplatePatch(withTemplateDefaults(template)) : '';
    meanings.set(revision, meaning);
  }
  return meaning === data;
}

/** The revision that the status calls current; where there is none the history begins with the update's. */
export function currentRevision(
  set: StatefulSet,
  revisions: readonly ControllerRevision[],
  update: ControllerRevision,
): ControllerRevision {
  return revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
}

/**
 * The template that Pods of `revision` are made of; undefined where its data is none. The revision of the set's own
 * template may hold rounded numbers: then the set's is the right one.
 */
export function podTemplateOf(set: StatefulSet, revision: ControllerRevision): PodTemplateSpec | undefined {
  const { template } = set.spec!;
  const rounded = roundedTemplatePatch(template);
  return rounded !== templatePatch(template) && dataOf(revision) === rounded ? template : templateOf(revision);
}
