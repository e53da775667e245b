import {
  type ControllerRevision,
  type KubeObject,
  type NewObject,
  type PodTemplateSpec,
  type ResourceType,
  type StringMap,
} from '#pkg/api';
import { fnv32, parseTime, safeEncode, compareIntegers, nextInteger } from '#pkg/base';
import { controllerReference } from '#pkg/controller';

import { canonicalJson } from './canonical-json.ts';

/** Label with the hash that the revision was first to be named by. */
export const REVISION_HASH = 'controller.kubernetes.io/hash';

/** Bytes of the owner's name that a revision's name keeps, so that it never grows beyond 253. */
const LONGEST_PREFIX = 223;

/** A revision that is not stored yet. */
export interface RevisionDraft {
  /** Without data, which is {@link RevisionDraft.data}. */
  readonly object: NewObject<ControllerRevision>;
  /** The text of `data`; its bytes are what is hashed and compared. */
  readonly data: string;
}

export interface RevisionParts {
  readonly owner: KubeObject;
  readonly ownerType: ResourceType;
  /** What is kept, see {@link templatePatch}. */
  readonly data: string;
  readonly labels: StringMap;
  readonly annotations?: StringMap;
  readonly revision: number;
  readonly collisionCount: number | undefined;
}

/** A revision of `owner`, named by the hash of its data (`NewControllerRevision` in `pkg/controller/history`). */
export function newRevision(parts: RevisionParts): RevisionDraft {
  const { owner, ownerType, data, labels, annotations = {}, revision, collisionCount } = parts;
  const hash = revisionHash(data, collisionCount);
  return {
    data,
    object: {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: revisionName(owner.metadata.name, hash),
        namespace: owner.metadata.namespace!,
        labels: { ...labels, [REVISION_HASH]: hash },
        ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        ownerReferences: [controllerReference(owner, ownerType)],
      },
      revision,
    },
  };
}

/** The name-safe hash of a revision's data; the collision count moves it away from a name that is taken. */
export function revisionHash(data: string, collisionCount?: number): string {
  return safeEncode(String(fnv32(`${data}${collisionCount ?? ''}`)));
}

/** `web-5d4f7c9b8`: owner's name and hash. */
export function revisionName(ownerName: string, hash: string): string {
  return `${ownerName.slice(0, LONGEST_PREFIX)}-${hash}`;
}

const patches = new WeakMap<object, string>();

/**
 * The data of StatefulSets' and DaemonSets' revisions: the text of a strategic merge patch that puts `template` in the
 * place of whatever template an object has (`getPatch` in `pkg/controller/statefulset` and `pkg/controller/daemon`).
 */
export function templatePatch(template: PodTemplateSpec): string {
  let text = patches.get(template);
  if (text === undefined) {
    text = canonicalJson({ spec: { template: { ...template, $patch: 'replace' } } });
    patches.set(template, text);
  }
  return text;
}

/**
 * The same as StatefulSets have it: upstream passes their templates through doubles (`getPatch` of
 * `pkg/controller/statefulset` uses `encoding/json`), and the text names the revision.
 */
export function roundedTemplatePatch(template: PodTemplateSpec): string {
  const exact = templatePatch(template);
  if (!LONG_INTEGER.test(exact)) return exact;
  // JSON.parse itself rounds, which is wanted here alone.
  return canonicalJson(JSON.parse(exact));
}

const LONG_INTEGER = /\d{16}/;

/** The template that a revision keeps; undefined where its data is no {@link templatePatch}. */
export function templateOf(revision: Pick<ControllerRevision, 'data'>): PodTemplateSpec | undefined {
  const { data } = revision as {
    readonly data?: { readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } } };
  };
  const template = data?.spec?.template;
  if (template?.$patch !== 'replace') return undefined;
  const { $patch: _patch, ...kept } = template;
  return kept;
}

const texts = new WeakMap<object, string>();

/** The text of a stored revision's data, in the form of {@link templatePatch}. */
export function dataOf(revision: ControllerRevision): string {
  let text = texts.get(revision);
  if (text === undefined) {
    text = canonicalJson(revision.data);
    texts.set(revision, text);
  }
  return text;
}

/** By revision, then creation, then name: the last is the newest (`SortControllerRevisions`). */
export function sortRevisions(revisions: readonly ControllerRevision[]): readonly ControllerRevision[] {
  return revisions.toSorted(
    (a, b) =>
      compareIntegers(a.revision, b.revision) ||
      parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp) ||
      0 ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}

/** The number after that of the last of sorted revisions. */
export function nextRevision(sorted: readonly ControllerRevision[]): number {
  return nextInteger(sorted.at(-1)?.revision);
}

/**
 * Which of sorted revisions to delete so that no more than `limit` remain that nobody uses; the oldest go. None where
 * the limit is negative.
 */
export function obsoleteRevisions(
  sorted: readonly ControllerRevision[],
  inUse: (revision: ControllerRevision) => boolean,
  limit: number,
): readonly ControllerRevision[] {
  if (limit < 0) return [];
  const unused = sorted.filter((revision) => !inUse(revision));
  return unused.slice(0, Math.max(0, unused.length - limit));
}
