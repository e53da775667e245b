import {
  type Endpoints,
  type ObjectKey,
  type Pod,
  type Service,
  isNamespaceTerminating,
  isNotFound,
  keyOf,
  resources,
} from '#pkg/api';
import { describeError } from '#pkg/base';
import type { Lister } from '#pkg/cache';
import type { ResourceClient } from '#pkg/client';
import type { ControllerContext, ConsistencyStore } from '#pkg/controller';

import { TriggerTimes, hasEndpoints, podsOf } from '../internal/endpoints/index.ts';
import { type Decision, decide } from './decide.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'client' | 'recorder' | 'log'>;
  readonly services: Pick<Lister<Service>, 'get'>;
  /** Of an informer that `indexPodsByLabel` was called with. */
  readonly pods: Pick<Lister<Pod>, 'byIndex'>;
  readonly endpoints: Pick<Lister<Endpoints>, 'get'>;
  readonly consistency: Pick<ConsistencyStore, 'wroteAt' | 'clear'>;
}

/** Brings the Endpoints of one Service to what it selects. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #client: ResourceClient<Endpoints>;
  readonly #times = new TriggerTimes();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#client = options.context.client.resource(resources.endpoints);
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<void> {
    const { services, pods, endpoints } = this.#options;
    const service = services.get(key);
    const current = endpoints.get(key);
    if (!service) {
      await this.#removeLeftover(current, signal);
      this.#times.forget(key);
      return this.#options.consistency.clear(key);
    }
    if (!hasEndpoints(service)) return undefined;
    const selected = podsOf(pods, service);
    const triggerTime = this.#times.look(service, selected);
    const decision = decide({ service, pods: selected, current, triggerTime });
    return decision && this.#write(service, decision, signal);
  }

  /** Mostly there is none: the API server deletes Endpoints with their Service. */
  async #removeLeftover(current: Endpoints | undefined, signal: AbortSignal): Promise<void> {
    if (!current || current.metadata.deletionTimestamp !== undefined) return;
    try {
      await this.#client.delete(current.metadata, { preconditions: { uid: current.metadata.uid }, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #write(service: Service, decision: NonNullable<Decision>, signal: AbortSignal): Promise<void> {
    const key = keyOf(service);
    const options = { metadataOnly: true, signal };
    try {
      const { metadata } =
        decision.verb === 'create'
          ? await this.#client.create(decision.endpoints, options)
          : await this.#client.update(decision.endpoints, options);
      this.#options.consistency.wroteAt(key, service.metadata.uid, resources.endpoints, metadata.resourceVersion);
    } catch (error) {
      signal.throwIfAborted();
      // It would go on failing, and there is nobody left to use it.
      if (decision.verb === 'create' && isNamespaceTerminating(error)) return;
      this.#report(key, decision, error);
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
