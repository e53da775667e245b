import { type OwnerReference, type ResourceType, apiVersionOf, groupResource, resourcePath } from '#pkg/api';
import type { Clock } from '#pkg/base';
import { type Client, ignoreNotFound } from '#pkg/client';

import { DisruptionError } from './errors.ts';

/** How many Pods one controller wants. */
export interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

/** How long is believed what a group version serves, ms: custom resources come and go. */
const BELIEVED = 30_000;
const SCALE_GROUPS = new Set(['autoscaling', 'extensions', 'apps']);

/** Of `metav1.APIResourceList`, what is read. */
interface ServedResource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
}

interface Served {
  readonly resources: readonly ServedResource[];
  readonly at: number;
}

interface ScaleObject {
  readonly metadata: { readonly uid?: string };
  readonly spec?: { readonly replicas?: number };
}

/**
 * The scale of controllers of any kind, custom ones too, asked of the server by the scale subresource: for those that no
 * cache has (`getScaleController` in `pkg/controller/disruption`).
 */
export class LiveScales {
  readonly #client: Pick<Client, 'request'>;
  readonly #clock: Clock;
  readonly #served = new Map<string, Served>();

  constructor(client: Pick<Client, 'request'>, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Nothing where the controller is gone, or another has its name. Throws a DisruptionError where its kind has no scale. */
  async get(reference: OwnerReference, namespace: string, signal: AbortSignal): Promise<Scale | undefined> {
    const type = await this.#scalable(reference, signal);
    const path = resourcePath(type, namespace, reference.name, 'scale');
    const scale = await ignoreNotFound(this.#client.request<ScaleObject>({ method: 'GET', path }, { signal }));
    if (scale?.metadata.uid !== reference.uid) return undefined;
    return { uid: reference.uid, replicas: scale.spec?.replicas ?? 0 };
  }

  async #scalable({ apiVersion, kind }: OwnerReference, signal: AbortSignal): Promise<ResourceType> {
    const slash = apiVersion.indexOf('/');
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
    const isIt = (one: ServedResource): boolean => one.kind === kind && !one.name.includes('/');
    const known = this.#served.get(apiVersion);
    let served = known && this.#clock.monotonic() - known.at < BELIEVED ? known.resources : [];
    // A kind that is missing may have come just now.
    if (!served.some(isIt)) served = await this.#discover({ group, version }, signal);
    const resource = served.find(isIt)?.name;
    if (resource === undefined)
      throw new DisruptionError('NoSuchKind', `no matches for kind "${kind}" in version "${apiVersion}"`, {
        subject: kind,
      });
    const type = { group, version, resource, kind, namespaced: true };
    const isScale = ({ name, ...one }: ServedResource): boolean =>
      name === `${resource}/scale` && one.kind === 'Scale' && SCALE_GROUPS.has(one.group ?? '');
    if (served.some(isScale)) return type;
    const subject = groupResource(type);
    throw new DisruptionError('NotScalable', `${subject} does not implement the scale subresource`, { subject });
  }

  /** Nothing for a group version that is not served. */
  async #discover(
    type: Pick<ResourceType, 'group' | 'version'>,
    signal: AbortSignal,
  ): Promise<readonly ServedResource[]> {
    const groupVersion = apiVersionOf(type);
    const path = `${type.group === '' ? '/api' : '/apis'}/${groupVersion}`;
    const served = await ignoreNotFound(
      this.#client.request<{ readonly resources: readonly ServedResource[] }>({ method: 'GET', path }, { signal }),
    );
    if (!served) {
      this.#served.delete(groupVersion);
      return [];
    }
    this.#served.set(groupVersion, { resources: served.resources, at: this.#clock.monotonic() });
    return served.resources;
  }
}
