import { type KubeObject, type ResourceType, groupResource } from '#pkg/api';
import type { Clock, Random } from '#pkg/base';
import type { ResourceClient } from '#pkg/client';
import type { Logger } from '#pkg/log';

import type { InformerMetrics } from './informer-metrics.ts';
import { type ReflectorOptions, type ReflectorTarget, reflect } from './reflector.ts';
import { compareResourceVersions } from './resource-version.ts';
import type { Follower } from './types.ts';

export interface FollowOptions {
  readonly resource: ResourceType;
  readonly client: Pick<ResourceClient<KubeObject>, 'list' | 'watch'>;
  readonly scope: ReflectorOptions<KubeObject>['scope'];
  readonly follower: Follower;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: InformerMetrics;
}

/** A reflector whose target is somebody else's: it remembers no more than how far it has read. */
export function follow(
  { resource, client, scope, follower, clock, random, log, metrics }: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const name = `${groupResource(resource)} (followed)`;
  const target = new Followed(follower, metrics, clock);
  return reflect(
    { name, client, target, scope, clock, random, log: log.with({ informer: name }), observer: metrics },
    signal,
  );
}

class Followed implements ReflectorTarget<KubeObject> {
  readonly #follower: Follower;
  readonly #metrics: InformerMetrics;
  readonly #clock: Clock;
  #resourceVersion = '';

  constructor(follower: Follower, metrics: InformerMetrics, clock: Clock) {
    this.#follower = follower;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** It is the follower who has objects, and not as they came. */
  known(): undefined {
    return undefined;
  }

  begin(wentBack: boolean): void {
    this.#follower.begin(wentBack);
  }

  gather(object: KubeObject): void {
    if (isNamed(object)) this.#timed(() => this.#follower.listed(object));
  }

  async replace(resourceVersion: string): Promise<void> {
    this.#resourceVersion = resourceVersion;
    this.#follower.end(resourceVersion);
    this.#metrics.size(this.#follower.size);
  }

  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    if (isNamed(object)) this.#timed(() => this.#follower.changed(type, object));
    this.#metrics.size(this.#follower.size);
  }

  advance(resourceVersion: string): string {
    const order = compareResourceVersions(resourceVersion, this.#resourceVersion);
    if (order === undefined || order > 0) this.#resourceVersion = resourceVersion;
    return this.#resourceVersion;
  }

  #timed(work: () => void): void {
    const started = this.#clock.monotonic();
    work();
    this.#metrics.processed(this.#clock.monotonic() - started);
  }
}

function isNamed(object: KubeObject): boolean {
  return typeof object?.metadata?.name === 'string';
}
