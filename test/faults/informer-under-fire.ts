import { setTimeout as sleep } from 'node:timers/promises';

import { type ConfigMap, isNotFound, makeKey, resources } from '#pkg/api';
import { seededRandom, setOwnValue } from '#pkg/base';
import { type SharedInformer, createInformerFactory } from '#pkg/cache';
import { type Client, createClient } from '#pkg/client';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FastClock, FaultyTransport, ReplicaHandler, TcpProxy, versionsOf } from '#pkg/testing';
import { type ClientConfig, createHttpTransport } from '#pkg/transport';

/** Times run this much faster on our side of the connection. */
export const SPEED = 20;

/** An informer behind a proxy that can be broken, and a writer that goes round it. */
export interface UnderFire {
  readonly proxy: TcpProxy;
  readonly transport: FaultyTransport;
  readonly clock: FastClock;
  readonly informer: SharedInformer<ConfigMap>;
  readonly replicas: ReplicaHandler<ConfigMap>[];
  /** Creates, updates and deletes at random for `seconds` of the informer's time. */
  readonly churn: (seconds: number) => Promise<void>;
  /** What is wrong, in words; empty when cache and handlers show what the server has. */
  readonly differences: () => Promise<string[]>;
  /** Lists and watches sent so far. */
  readonly requests: () => number;
  /** Ends the informer and says what is left behind. */
  readonly stop: () => Promise<{ timers: number; connections: number }>;
}

const NAMES = Array.from({ length: 12 }, (_, i) => `fire-${i}`);

export async function underFire(
  config: ClientConfig,
  direct: Client,
  namespace: string,
  seed: number,
): Promise<UnderFire> {
  const address = new URL(config.server);
  const proxy = await TcpProxy.start(Number(address.port));
  const clock = new FastClock(SPEED);
  const metrics = new Metrics();
  const server = `https://127.0.0.1:${proxy.port}`;
  const transport = new FaultyTransport(createHttpTransport({ ...config, server, clock, metrics }));
  const client = createClient({ transport, userAgent: 'faults', qps: -1, clock });
  const random = seededRandom(seed);
  const factory = createInformerFactory({
    client,
    clock,
    metrics,
    random: seededRandom(seed),
    log: silentLogger,
    namespace,
  });
  const informer = factory.informer(resources.configMaps);
  const replicas = [new ReplicaHandler<ConfigMap>()];
  informer.addEventHandler(replicas[0]!);
  const stop = new AbortController();
  factory.start(stop.signal);
  await informer.whenSynced(AbortSignal.timeout(20_000));
  const configMaps = direct.resource(resources.configMaps);

  async function change(): Promise<void> {
    const name = NAMES[Math.floor(random() * NAMES.length)]!;
    const data = { value: String(random()) };
    const live = await configMaps.get({ namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (live === undefined) await configMaps.create({ metadata: { name, namespace }, data });
    else if (random() < 0.4) await configMaps.delete({ namespace, name });
    else await configMaps.update({ ...live, data });
  }

  return {
    proxy,
    transport,
    clock,
    informer,
    replicas,
    async churn(seconds) {
      for (const end = clock.monotonic() + seconds * 1000; clock.monotonic() < end;) {
        await change();
        if (random() < 0.1) {
          replicas.push(new ReplicaHandler());
          informer.addEventHandler(replicas.at(-1)!);
        }
        await sleep(10);
      }
    },
    async differences() {
      const expected = versionsOf((await configMaps.list({ namespace })).items).join(' ');
      const shown = { cache: versionsOf(informer.lister.list()).join(' ') } as Record<string, string>;
      replicas.forEach((replica, i) => setOwnValue(shown, `handler ${i}`, replica.versions().join(' ')));
      const wrong = Object.entries(shown).filter(([, versions]) => versions !== expected);
      return [
        ...wrong.map(([who, versions]) => `${who}: ${versions}, not ${expected}`),
        ...replicas.flatMap(({ faults }) => faults),
      ];
    },
    requests: () => transport.requests.filter(({ path }) => path.includes(makeKey(namespace, 'configmaps'))).length,
    async stop() {
      stop.abort(new Error('test over'));
      await factory.shutdown();
      await transport.close();
      proxy.heal();
      // The proxy hears of the last close a moment later.
      for (let i = 0; i < 100 && proxy.held > 0; i++) await sleep(10);
      const left = { timers: clock.pending, connections: proxy.held };
      await proxy.close();
      return left;
    },
  };
}
