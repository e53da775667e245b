import type { Namespace } from '#pkg/api';
import { describeError } from '#pkg/base';
import type { Discovery } from '#pkg/client';

import type { Leftover } from './content.ts';

export type Conditions = NonNullable<NonNullable<Namespace['status']>['conditions']>;
type Condition = Conditions[number];

/** What a look at a namespace's content found. */
export interface Findings {
  /** Group versions of which nobody knows what they hold. */
  readonly undiscovered: Discovery['failed'];
  /** Nothing at all could be discovered. */
  readonly discoveryError?: unknown;
  readonly unreadable?: string | undefined;
  /** Deletions that failed, and what is left without a reason. */
  readonly failures: readonly string[];
  /** Undefined where only Pods have been looked at: then nothing is said of what remains. */
  readonly leftovers: readonly Leftover[] | undefined;
}

interface Rule {
  readonly type: string;
  readonly fine: readonly [reason: string, message: string];
  readonly failing: string;
  /** What is to be told; undefined where all is fine. */
  readonly told: (findings: Findings) => string | undefined;
}

/** In the order in which they stand in a status that has none (`deletion/status_condition_utils.go`). */
const RULES: readonly Rule[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    fine: ['ResourcesDiscovered', 'All resources successfully discovered'],
    failing: 'DiscoveryFailed',
    told: toldOfDiscovery,
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    fine: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    failing: 'GroupVersionParsingFailed',
    told: ({ unreadable }) => unreadable,
  },
  {
    type: 'NamespaceDeletionContentFailure',
    fine: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    failing: 'ContentDeletionFailed',
    told: ({ failures }) =>
      failures.length === 0
        ? undefined
        : `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(', ')}`,
  },
  {
    type: 'NamespaceContentRemaining',
    fine: ['ContentRemoved', 'All content successfully removed'],
    failing: 'SomeResourcesRemain',
    told: ({ leftovers = [] }) => toldOfContent(leftovers),
  },
  {
    type: 'NamespaceFinalizersRemaining',
    fine: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    failing: 'SomeFinalizersRemain',
    told: ({ leftovers = [] }) => toldOfFinalizers(leftovers),
  },
];

/** The text of the error that a discovery with gaps is (`ErrGroupDiscoveryFailed`). */
export function discoveryFailure(undiscovered: Discovery['failed']): string | undefined {
  if (undiscovered.size === 0) return undefined;
  const groups = Array.from(
    undiscovered,
    ([groupVersion, error]) => `${groupVersion}: ${describeError(error)}`,
  ).toSorted();
  return `unable to retrieve the complete list of server APIs: ${groups.join(', ')}`;
}

function toldOfDiscovery({ undiscovered, discoveryError }: Findings): string | undefined {
  if (discoveryError !== undefined) return describeError(discoveryError);
  const failure = discoveryFailure(undiscovered);
  return failure && `Discovery failed for some groups, ${undiscovered.size} failing: ${failure}`;
}

function toldOfContent(leftovers: readonly Leftover[]): string | undefined {
  if (leftovers.length === 0) return undefined;
  const texts = leftovers.map(
    ({ resource, count }) => `${resource.resource}.${resource.group} has ${count} resource instances`,
  );
  return `Some resources are remaining: ${texts.toSorted().join(', ')}`;
}

function toldOfFinalizers(leftovers: readonly Leftover[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { finalizers } of leftovers)
    for (const [name, count] of finalizers) counts.set(name, (counts.get(name) ?? 0) + count);
  if (counts.size === 0) return undefined;
  const texts = Array.from(counts, ([name, count]) => `${name} in ${count} resource instances`);
  return `Some content in the namespace has finalizers remaining: ${texts.toSorted().join(', ')}`;
}

/** The conditions after a look; undefined where they say it already. `now`: RFC 3339. */
export function decideConditions(before: Conditions, findings: Findings, now: string): Conditions | undefined {
  let changed = false;
  const result = [...before];
  for (const rule of RULES) {
    const message = rule.told(findings);
    const [reason, text] = message === undefined ? rule.fine : [rule.failing, message];
    const wanted = { type: rule.type, status: message === undefined ? 'False' : 'True', reason, message: text };
    const index = result.findIndex(({ type }) => type === rule.type);
    const old: Condition | undefined = result[index];
    if (old === undefined) result.push({ ...wanted, lastTransitionTime: now });
    else if (old.status === wanted.status && old.reason === reason && old.message === text) continue;
    else result[index] = { ...old, ...wanted, ...(old.status === wanted.status ? {} : { lastTransitionTime: now }) };
    changed = true;
  }
  return changed ? result : undefined;
}
