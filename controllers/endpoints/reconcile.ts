import {
  type Endpoints,
  type ObjectKey,
  type Pod,
  type Service,
  isNamespaceTerminating,
  keyOf,
  resources,
  splitKey,
} from '#pkg/api';
import { describeError } from '#pkg/base';
import type { Lister } from '#pkg/cache';
import { ignoreNotFound } from '#pkg/client';
import type { ControllerContext, OwnedWrites, Ownership } from '#pkg/controller';

import { TriggerTimes, hasEndpoints, podsOf } from '../internal/endpoints/index.ts';
import { type Decision, decide } from './decide.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'recorder' | 'log'>;
  readonly services: Ownership<Service>;
  readonly endpoints: OwnedWrites<Service, Endpoints>;
  /** A lister of an informer that `indexPodsByLabel` was called with. */
  readonly pods: Pick<Lister<Pod>, 'byIndex'>;
}

/** Brings the Endpoints of one Service to what it selects. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #times = new TriggerTimes();
  /** Services whose Endpoints may have been created although the answer says otherwise. */
  readonly #unanswered = new Set<ObjectKey>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<void> {
    const { services, pods, endpoints } = this.#options;
    const service = services.lister.get(key);
    const current = endpoints.lister.get(key);
    if (!service) {
      await this.#removeLeftover(key, current, signal);
      this.#times.forget(key);
      return services.forget(key);
    }
    if (!hasEndpoints(service)) return undefined;
    const selected = podsOf(pods, service);
    const triggerTime = this.#times.look(service, selected);
    const decision = decide({ service, pods: selected, current, triggerTime });
    return decision && this.#write(service, decision, signal);
  }

  /**
   * Mostly there is none: the API server deletes Endpoints with their Service. What the cache does not show yet may be there
   * all the same, where the answer to its creation was lost.
   */
  async #removeLeftover(key: ObjectKey, current: Endpoints | undefined, signal: AbortSignal): Promise<void> {
    const { endpoints } = this.#options;
    if (current && current.metadata.deletionTimestamp === undefined) {
      const options = { preconditions: { uid: current.metadata.uid }, signal };
      await ignoreNotFound(endpoints.delete(current.metadata, options));
    } else if (!current && this.#unanswered.has(key)) {
      await ignoreNotFound(endpoints.delete(splitKey(key), { signal }));
    }
    this.#unanswered.delete(key);
  }

  async #write(service: Service, decision: NonNullable<Decision>, signal: AbortSignal): Promise<void> {
    const { endpoints } = this.#options;
    const options = { metadataOnly: true, signal };
    try {
      if (decision.verb === 'create') await endpoints.create(service, decision.endpoints, options);
      else await endpoints.update(service, decision.endpoints, options);
      this.#unanswered.delete(keyOf(service));
    } catch (error) {
      signal.throwIfAborted();
      // It would go on failing, and there is nobody left to use it.
      if (decision.verb === 'create' && isNamespaceTerminating(error)) return;
      if (decision.verb === 'create') this.#unanswered.add(keyOf(service));
      this.#report(keyOf(service), decision, error);
      throw error;
    }
  }

  #report(key: ObjectKey, { verb, endpoints }: NonNullable<Decision>, error: unknown): void {
    const { apiVersion = 'v1', kind = resources.endpoints.kind, metadata } = endpoints;
    const { namespace, name = '', uid, resourceVersion } = metadata;
    const about = {
      apiVersion,
      kind,
      name,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    };
    const text = describeError(error);
    if (verb === 'create')
      this.#options.context.recorder.event(
        about,
        'Warning',
        'FailedToCreateEndpoint',
        `Failed to create endpoint for service ${key}: ${text}`,
      );
    else
      this.#options.context.recorder.event(
        about,
        'Warning',
        'FailedToUpdateEndpoint',
        `Failed to update endpoint ${key}: ${text}`,
      );
  }
}
