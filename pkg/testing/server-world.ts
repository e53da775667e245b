import type { KubeObject, NewObject, ResourceType } from '#pkg/api';
import {
  type ApiServer,
  type RequestRecord,
  type SimulationOptions,
  createApiServer,
  startSimulation,
} from '#pkg/apiserver';
import { type Random, seededRandom } from '#pkg/base';
import { type InformerFactory, createInformerFactory } from '#pkg/cache';
import { type Client, type ResourceClient, type Transport, createClient } from '#pkg/client';
import { type Controller, type ControllerDefinition, identityOf, projectedInformers } from '#pkg/controller';
import { type Logger, silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';

import { type ControllerSettings, createControllers } from './create-controllers.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { RecordedEvents } from './recorded-events.ts';

export interface ServerWorldOptions extends ControllerSettings {
  readonly seed?: number;
  /** Options of the simulated nodes, which make Pods run. */
  readonly simulation?: Omit<SimulationOptions, 'clock' | 'random'>;
  readonly log?: Logger;
  /** What stands between the controllers and the server: faults. */
  readonly between?: (transport: Transport) => Transport;
}

/**
 * Controllers at work on the embedded API server, in process and on a clock that the test steps: real validation,
 * defaults and patches, and each controller with the permissions of its own service account and no more. Slower than a
 * `World`; for what depends on the server.
 *
 *     const world = createServerWorld({ controllers: [replicaSetController] });
 *     await world.start();
 *     await world.create(resources.replicaSets, { metadata: { name: 'web' }, spec });
 *     await world.clock.step(10_000);
 *     expect(await world.list(resources.pods)).toHaveLength(3);
 *     await world.stop();
 */
export function createServerWorld(options: ServerWorldOptions): ServerWorld {
  return new ServerWorld(options);
}

export class ServerWorld {
  readonly clock = new FakeClock();
  readonly random: Random;
  readonly server: ApiServer;
  /** May do everything. */
  readonly client: Client;
  readonly events = new RecordedEvents();
  readonly metrics = new Metrics();
  readonly informers: InformerFactory;
  readonly controllers: readonly Controller[];
  readonly #requests: RequestRecord[] = [];
  readonly #abort = new AbortController();
  readonly #between: (transport: Transport) => Transport;
  readonly #stopSimulation: () => void;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: ServerWorldOptions) {
    const { clock, metrics, events: recorder } = this;
    const { log = silentLogger } = options;
    const random = seededRandom(options.seed ?? 1);
    this.random = random;
    this.#between = options.between ?? ((transport) => transport);
    this.server = createApiServer({
      clock,
      random,
      freeze: true,
      requestLog: (record) => void this.#requests.push(record),
    });
    this.client = this.#clientAs(undefined);
    const simulation = startSimulation(this.server, { ...options.simulation, clock, random });
    this.#stopSimulation = () => simulation.stop();
    const factory = createInformerFactory({
      client: this.#clientAs('informers'),
      clock,
      random,
      log,
      metrics,
      freeze: true,
    });
    // As the manager does, so that a controller that reads what it does not declare fails here.
    const informers = projectedInformers(factory, options.controllers);
    this.informers = informers;
    this.controllers = createControllers(options, { informers, recorder, clock, random, log, metrics }, (definition) =>
      this.#clientOf(definition),
    );
  }

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

  async stop(): Promise<void> {
    this.#abort.abort(new DOMException('the world ends', 'AbortError'));
    await settle();
    await this.#ended;
    await this.informers.shutdown();
    this.#stopSimulation();
    await this.server.close();
  }

  /** What controllers asked of the server since the last call: `create pods`, `update replicasets/status`. */
  takeRequests(): string[] {
    const taken = this.#requests.splice(0).filter(({ userAgent }) => userAgent.endsWith('-controller'));
    return taken.map(({ verb, resource, code }) => `${verb} ${resource}${code < 400 ? '' : ` ${code}`}`);
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>): Promise<T> {
    return this.client.resource(type).create({ ...object, metadata: { namespace: 'default', ...object.metadata } });
  }

  async get<T extends KubeObject>(type: ResourceType<T>, name: string): Promise<T> {
    return this.client.resource(type).get({ namespace: 'default', name });
  }

  async list<T extends KubeObject>(type: ResourceType<T>): Promise<readonly T[]> {
    return (await this.client.resource(type).list({ namespace: 'default' })).items;
  }

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    body: unknown,
  ): ReturnType<ResourceClient<T>['patch']> {
    return this.client.resource(type).patch({ namespace: 'default', name }, 'merge', body);
  }

  #clientOf(definition: ControllerDefinition): Client {
    const name = `system:serviceaccount:kube-system:${identityOf(definition).serviceAccount}`;
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'];
    const transport = this.#between(this.server.inProcessTransport({ name, groups }));
    return createClient({ transport, userAgent: definition.name, clock: this.clock, qps: -1 });
  }

  #clientAs(userAgent = 'test'): Client {
    return createClient({ transport: this.server.inProcessTransport(), userAgent, clock: this.clock, qps: -1 });
  }
}
