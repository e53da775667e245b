import type { KubeObject, ResourceType } from '#pkg/api';
import { type Random, seededRandom } from '#pkg/base';
import { type InformerFactory, createInformerFactory } from '#pkg/cache';
import { type Controller, projectedInformers } from '#pkg/controller';
import { type Logger, silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';

import { type ControllerSettings, createControllers } from './create-controllers.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeCluster } from './fake-cluster.ts';
import { hostileKey, withHostileKey } from './hostile-names.ts';
import { LaggingInformers } from './lagging-informers.ts';
import { RecordedEvents } from './recorded-events.ts';

export interface WorldOptions extends ControllerSettings {
  readonly seed?: number;
  /** What the test creates carries a key in its selectors and annotations that every plain object has, chosen by the seed; on unless false. */
  readonly hostileNames?: boolean;
  /** How late a change reaches the caches, ms. */
  readonly lag?: (resource: ResourceType) => number;
  /** How long a request takes, ms. */
  readonly latency?: () => number;
  /** The real informers, over the cluster's lists and watches; `lag` then means nothing. */
  readonly realInformers?: boolean;
  readonly log?: Logger;
}

/**
 * Controllers at work on a {@link FakeCluster}, on a clock that the test steps:
 *
 *     const world = createWorld({ controllers: [replicaSetController] });
 *     await world.start();
 *     world.cluster.create(resources.replicaSets, replicaSet({ replicas: 3 }));
 *     await world.clock.step(1000);
 *     expect(world.cluster.list(resources.pods)).toHaveLength(3);
 *     await world.stop();
 */
export function createWorld(options: WorldOptions): World {
  return new World(options);
}

export class World {
  readonly clock = new FakeClock();
  readonly random: Random;
  readonly cluster: FakeCluster;
  readonly events = new RecordedEvents();
  readonly metrics = new Metrics();
  readonly informers: InformerFactory;
  readonly controllers: readonly Controller[];
  readonly #lagging: LaggingInformers | undefined;
  readonly #abort = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: WorldOptions) {
    const { clock, metrics } = this;
    const { log = silentLogger, lag, latency } = options;
    this.random = seededRandom(options.seed ?? 1);
    const key = hostileKey(seededRandom(options.seed ?? 1));
    const decorate = <T extends KubeObject>(object: T): T =>
      options.hostileNames === false ? object : withHostileKey(object, key);
    this.cluster = new FakeCluster({ clock, random: this.random, latency, decorate });
    const client = this.cluster.client();
    this.#lagging = options.realInformers ? undefined : new LaggingInformers({ cluster: this.cluster, clock, lag });
    const real = (): InformerFactory =>
      createInformerFactory({ client, clock, random: this.random, log, metrics, freeze: true });
    this.informers = this.#lagging ?? projectedInformers(real(), options.controllers);
    const { informers, random, events: recorder } = this;
    this.controllers = createControllers(options, { informers, recorder, clock, random, log, metrics }, () => client);
  }

  /** Starts informers and controllers, and returns once the caches are filled. */
  async start(): Promise<void> {
    const { signal } = this.#abort;
    this.informers.start(signal);
    this.#ended = Promise.all(this.controllers.map((controller) => controller.run(signal)));
    let synced = false;
    const filled = this.informers.waitForCacheSync(signal).then(() => (synced = true));
    await this.clock.stepUntil(() => synced);
    await filled;
    await settle();
  }

  /** Tells the controllers of every object again. Not with real informers, which do it in their own time. */
  resync(): void {
    if (!this.#lagging) throw new RangeError('real informers resync by their period');
    this.#lagging.resync();
  }

  /** Ends everything; rejects with what a controller failed with. */
  async stop(): Promise<void> {
    this.#abort.abort(new DOMException('the world ends', 'AbortError'));
    await settle();
    await this.#ended;
    await this.informers.shutdown();
  }
}
