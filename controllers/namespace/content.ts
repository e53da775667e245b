import type { KubeObject } from '#pkg/api';
import type { Discovery, DiscoveredResource } from '#pkg/client';

/** What is to be deleted in a namespace. */
export interface Content {
  /** Pods apart from the rest: nothing else goes while any of them is there (KEP-5080). */
  readonly pods: DiscoveredResource | undefined;
  readonly others: readonly DiscoveredResource[];
  /** Of group versions that cannot be read. */
  readonly unreadable: string | undefined;
}

/** Every namespaced resource that can be deleted, in the version that its group prefers. */
export function contentOf({ resources }: Discovery): Content {
  const all = resources.filter(
    ({ namespaced, preferred, verbs }) => namespaced && preferred && verbs.includes('delete'),
  );
  const wrong = all.find(isUnreadable);
  const readable = all.filter((resource) => !isUnreadable(resource));
  return {
    pods: readable.find(isPods),
    others: readable.filter((resource) => !isPods(resource)),
    unreadable: wrong && `unexpected GroupVersion string: ${wrong.group}/${wrong.version}`,
  };
}

function isPods({ group, version, resource }: DiscoveredResource): boolean {
  return group === '' && version === 'v1' && resource === 'pods';
}

function isUnreadable({ group, version }: DiscoveredResource): boolean {
  return group.includes('/') || version.includes('/');
}

/** As Go prints it: `apps/v1, Resource=deployments`. */
export function printResource({ group, version, resource }: DiscoveredResource): string {
  return `${group}/${version}, Resource=${resource}`;
}

/** What is left of a resource after its deletion was asked for. */
export interface Leftover {
  readonly resource: DiscoveredResource;
  readonly count: number;
  /** How many objects wait for each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Seconds until it will be gone, as far as anyone can tell; 0 where nobody can. */
  readonly estimate: number;
  /** What is wrong: it is there, and nothing says why. */
  readonly problem?: string;
}

/** Finalizers take as long as they take; this is what is taken for it, in seconds. */
const FINALIZERS = 15;

/** Judges what a list after the deletion still shows; undefined where it shows nothing. `elapsed`: seconds since the namespace was deleted. */
export function judgeLeftover(
  resource: DiscoveredResource,
  namespace: string,
  items: readonly KubeObject[],
  elapsed: number,
): Leftover | undefined {
  if (items.length === 0) return undefined;
  const finalizers = new Map<string, number>();
  for (const { metadata } of items)
    for (const name of metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  const grace = isPods(resource) ? graceOf(items) : 0;
  const common = { resource, count: items.length, finalizers };
  if (grace > elapsed) return { ...common, estimate: grace };
  if (finalizers.size > 0) return { ...common, estimate: FINALIZERS };
  return {
    ...common,
    estimate: 0,
    problem: `unexpected items still remain in namespace: ${namespace} for gvr: ${printResource(resource)}`,
  };
}

/** The longest that any of these Pods was given. One that has ended, or never ran, is given nothing. */
function graceOf(pods: readonly KubeObject[]): number {
  return Math.max(...pods.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? 0));
}
