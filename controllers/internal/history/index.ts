/**
 * What StatefulSets and DaemonSets keep of their past: ControllerRevisions, each with a Pod template as a patch. Names,
 * hashes and data are upstream's byte for byte, so that one manager can take over from the other without a rollout.
 *
 *     const sorted = sortRevisions(await revisions.claim(set, signal));
 *     const data = templatePatch(set.spec!.template);
 *     const draft = newRevision({ owner: set, ownerType, data, labels, revision: nextRevision(sorted), collisionCount });
 *     const known = sorted.findLast((revision) => dataOf(revision) === data);
 *     const current = known ?? (await history.create(set, draft, collisionCount ?? 0, signal)).revision;
 *
 * Not for Deployments: their past is their ReplicaSets.
 */
export { canonicalJson } from './canonical-json.ts';
export { type Created, History } from './history.ts';
export {
  REVISION_HASH,
  type RevisionDraft,
  type RevisionParts,
  dataOf,
  newRevision,
  nextRevision,
  obsoleteRevisions,
  revisionHash,
  revisionName,
  sortRevisions,
  templateOf,
  roundedTemplatePatch,
  templatePatch,
} from './revision.ts';
