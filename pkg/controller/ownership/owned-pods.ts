import {
  type KubeObject,
  type NewObject,
  type Pod,
  type PodTemplateSpec,
  isNamespaceTerminating,
  isNotFound,
  isPodReady,
  keyOf,
} from '#pkg/api';
import { describeError } from '#pkg/base';

import { inParallel, slowStart } from '../batch/fan-out.ts';
import type { ControllerContext } from '../definition/definition.ts';
import { ControllerError } from '../errors.ts';
import { logName } from '../objects/log-name.ts';
import { podFromTemplate } from '../pods/template.ts';
import type { Enqueue } from '../source/triggers.ts';
import { OwnedObjects, type OwnedObjectsOptions, type OwnedObjectsParts } from './owned-objects.ts';

export interface OwnedPodsOptions<Owner extends KubeObject> extends OwnedObjectsOptions<Owner, Pod> {
  /** The owner is enqueued again so many seconds after one of its Pods has become ready: nothing else happens then. */
  readonly minReadySeconds?: (owner: Owner) => number;
}

export interface OwnedPodsParts<Owner extends KubeObject> extends OwnedObjectsParts<Owner, Pod> {
  readonly context: Pick<ControllerContext, 'client' | 'recorder' | 'clock' | 'log'>;
}

/** Pods to create and to delete in one reconcile. */
export interface PodChanges {
  /** How many to create; `pod` makes each of them just before its request. */
  readonly create?: { readonly count: number; readonly pod: (index: number) => NewObject<Pod> };
  readonly remove?: readonly Pod[];
}

export interface PodChangesResult {
  readonly created: number;
  /** Nothing could be created because the namespace is going away: no failure, and it is not tried again for minutes. */
  readonly terminating: boolean;
  /** What failed but for a namespace that is going away, in the order of the Pods. */
  readonly notCreated: readonly unknown[];
  readonly notDeleted: readonly unknown[];
}

/**
 * Pods that owners manage. Creations and deletions are reported as events of the owner with upstream's reasons and texts
 * (`RealPodControl` in `pkg/controller/controller_utils.go`).
 */
export class OwnedPods<Owner extends KubeObject> extends OwnedObjects<Owner, Pod> {
  readonly #parts: OwnedPodsParts<Owner>;
  /** Name of the owner in logs. */
  readonly #owner: string;

  constructor(parts: OwnedPodsParts<Owner>, { minReadySeconds, ...options }: OwnedPodsOptions<Owner> = {}) {
    super(parts, minReadySeconds ? { onUpdate: whenAvailable(minReadySeconds), ...options } : options);
    this.#parts = parts;
    this.#owner = logName(parts.owners.resource);
  }

  /** A Pod as `template` describes it, managed by `owner`. Throws `InvalidTemplate` for a template without labels. */
  fromTemplate(owner: Owner, template: PodTemplateSpec): NewObject<Pod> {
    return podFromTemplate(template, owner, this.#parts.owners.resource);
  }

  /**
   * Sets expectations, creates Pods in batches that grow as long as all goes well, then deletes Pods; the failures are
   * results. Of what will not happen the expectations are lowered.
   */
  async change(owner: Owner, { create, remove = [] }: PodChanges, signal: AbortSignal): Promise<PodChangesResult> {
    const uids = remove.map((pod) => pod.metadata.uid);
    this.expectations.expectChanges(keyOf(owner), create?.count ?? 0, uids);
    const creation = await this.#createAll(owner, create, signal);
    return { ...creation, notDeleted: await this.#deleteAll(owner, remove, signal) };
  }

  /** Events SuccessfulCreate and FailedCreate; none about a namespace that is going away, where every creation fails. */
  async createPod(owner: Owner, pod: NewObject<Pod>, signal: AbortSignal): Promise<Pod> {
    const { recorder, log } = this.#parts.context;
    let created: Pod;
    try {
      const { metadata } = await this.create(owner, pod, { metadataOnly: true, signal });
      created = { ...pod, metadata };
    } catch (error) {
      if (!signal.aborted && !isNamespaceTerminating(error))
        recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${describeError(error)}`);
      throw error;
    }
    log.v(4)?.info('Controller created pod', { [this.#owner]: keyOf(owner), pod: keyOf(created) });
    recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
    return created;
  }

  /** Events SuccessfulDelete and FailedDelete. Rejects with NotFound as it came, with other failures wrapped. */
  async deletePod(owner: Owner, pod: Pod, signal: AbortSignal): Promise<void> {
    const { recorder, log } = this.#parts.context;
    log.v(2)?.info('Deleting pod', { [this.#owner]: keyOf(owner), pod: keyOf(pod) });
    try {
      await this.delete(pod.metadata, { signal });
    } catch (error) {
      if (isNotFound(error)) {
        log.v(4)?.info('Pod has already been deleted', { pod: keyOf(pod) });
        throw error;
      }
      if (!signal.aborted) recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${describeError(error)}`);
      const text = `unable to delete pods: ${describeError(error)}`;
      throw new ControllerError('DeleteFailed', text, { object: keyOf(pod) }, { cause: error });
    }
    recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }

  async #createAll(
    owner: Owner,
    create: PodChanges['create'],
    signal: AbortSignal,
  ): Promise<Omit<PodChangesResult, 'notDeleted'>> {
    const count = create?.count ?? 0;
    if (!create || count === 0) return { created: 0, terminating: false, notCreated: [] };
    let next = 0;
    const { successes, errors } = await slowStart(count, async () => {
      await this.createPod(owner, create.pod(next++), signal);
    });
    const notCreated = errors.filter((error) => !isNamespaceTerminating(error));
    // In a namespace that goes away every creation fails: the expectations stay, so that none is tried again for minutes.
    const terminating = errors.length > 0 && notCreated.length === 0;
    if (successes < count && !terminating) {
      const skipped = count - successes;
      const { log } = this.#parts.context;
      log.v(2)?.info('Slow start failed, the rest is left for the next sync', { [this.#owner]: keyOf(owner), skipped });
      this.expectations.creationObserved(keyOf(owner), skipped);
    }
    return { created: successes, terminating, notCreated };
  }

  async #deleteAll(owner: Owner, pods: readonly Pod[], signal: AbortSignal): Promise<readonly unknown[]> {
    const { errors } = await inParallel(pods, async (pod) => {
      try {
        await this.deletePod(owner, pod, signal);
      } catch (error) {
        // The cache still shows a Pod that is gone: its event is yet to come, and choosing it again would be in vain.
        const awaited = isNotFound(error) && this.lister.get(keyOf(pod))?.metadata.uid === pod.metadata.uid;
        if (!awaited) this.expectations.deletionObserved(keyOf(owner), pod.metadata.uid);
        if (!isNotFound(error)) throw error;
      }
    });
    return errors;
  }
}

function whenAvailable<Owner extends KubeObject>(
  minReadySeconds: (owner: Owner) => number,
): (owner: Owner, old: Pod, current: Pod) => readonly Enqueue[] {
  return (owner, old, current) => {
    const after = minReadySeconds(owner) * 1000;
    return after > 0 && !isPodReady(old) && isPodReady(current) ? [{ key: keyOf(owner), after }] : [];
  };
}
