import {
  type KubeObject,
  type NewObject,
  type Pod,
  type PodTemplateSpec,
  type ResourceType,
  isNamespaceTerminating,
  isNotFound,
  keyOf,
  resources,
} from '#pkg/api';
import { describeError } from '#pkg/base';
import type { ResourceClient } from '#pkg/client';

import type { ControllerContext } from '../definition/definition.ts';
import { ControllerError } from '../errors.ts';
import { logName } from '../objects/log-name.ts';
import { podFromTemplate } from './template.ts';

export interface PodControlOptions<Owner extends KubeObject> {
  readonly ownerType: ResourceType<Owner>;
  /** Told of every Pod created or patched, as the server answered it. */
  readonly wrote?: (owner: Owner, pod: Pod) => void;
}

/**
 * Creates and deletes Pods on behalf of an owner, and reports each as an event of the owner with upstream's reasons and
 * texts (`RealPodControl` in `pkg/controller/controller_utils.go`).
 */
export class PodControl<Owner extends KubeObject> {
  readonly #options: PodControlOptions<Owner>;
  readonly #context: Pick<ControllerContext, 'recorder' | 'log'>;
  readonly #pods: ResourceClient<Pod>;
  /** Name of the owner in logs. */
  readonly #owner: string;

  constructor(context: Pick<ControllerContext, 'client' | 'recorder' | 'log'>, options: PodControlOptions<Owner>) {
    this.#context = context;
    this.#options = options;
    this.#owner = logName(options.ownerType);
    this.#pods = context.client.resource(resources.pods);
  }

  /** Events SuccessfulCreate and FailedCreate; none about a namespace that is going away, where every creation fails. */
  async create(owner: Owner, template: PodTemplateSpec, signal?: AbortSignal): Promise<Pod> {
    return this.createPod(owner, podFromTemplate(template, owner, this.#options.ownerType), signal);
  }

  /** As `create`, for a Pod made by the controller itself. */
  async createPod(owner: Owner, pod: NewObject<Pod>, signal?: AbortSignal): Promise<Pod> {
    const { recorder, log } = this.#context;
    let created: Pod;
    try {
      const { metadata } = await this.#pods.create(pod, { metadataOnly: true, signal });
      created = { ...pod, metadata };
    } catch (error) {
      if (!signal?.aborted && !isNamespaceTerminating(error)) {
        recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${describeError(error)}`);
      }
      throw error;
    }
    this.#options.wrote?.(owner, created);
    log.v(4)?.info('Controller created pod', { [this.#owner]: keyOf(owner), pod: keyOf(created) });
    recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
    return created;
  }

  /** Events SuccessfulDelete and FailedDelete. Rejects with NotFound as it came, with other failures wrapped. */
  async delete(owner: Owner, pod: Pod, signal?: AbortSignal): Promise<void> {
    const { recorder, log } = this.#context;
    log.v(2)?.info('Deleting pod', { [this.#owner]: keyOf(owner), pod: keyOf(pod) });
    try {
      await this.#pods.delete(pod.metadata, { signal });
    } catch (error) {
      if (isNotFound(error)) {
        log.v(4)?.info('Pod has already been deleted', { pod: keyOf(pod) });
        throw error;
      }
      if (!signal?.aborted) recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${describeError(error)}`);
      const text = `unable to delete pods: ${describeError(error)}`;
      throw new ControllerError('DeleteFailed', text, { object: keyOf(pod) }, { cause: error });
    }
    recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
}
