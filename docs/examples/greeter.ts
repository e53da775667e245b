// Annotates every ConfigMap that asks for a greeting. One replica leads; the others stand by.
import { hostname } from 'node:os';

import { type ConfigMap, keyOf, resources } from 'kube-controller-manager/api';
import { systemClock, systemRandom } from 'kube-controller-manager/base';
import { createInformerFactory } from 'kube-controller-manager/cache';
import { createClient } from 'kube-controller-manager/client';
import { createLoop, forObject } from 'kube-controller-manager/controller';
import { createEventRecorder } from 'kube-controller-manager/events';
import { LeaderElector, LeaseLock } from 'kube-controller-manager/leaderelection';
import { createLogger } from 'kube-controller-manager/log';
import { Metrics } from 'kube-controller-manager/metrics';
import { createHttpTransport, loadClientConfig } from 'kube-controller-manager/transport';

const ASKED = 'greeter.example.com/name';
const GREETING = 'greeter.example.com/greeting';

const log = createLogger({ verbosity: 2 });
const metrics = new Metrics();
const clock = systemClock;
const random = systemRandom;
const identity = `${hostname()}_${process.pid}`;

// Without `kubeconfig` this is the service account of the Pod it runs in.
const config = await loadClientConfig({ kubeconfig: process.env['KUBECONFIG'] });
const transport = createHttpTransport({ ...config, log, metrics });
const userAgent = 'greeter/v1';
const plain = createClient({ transport, userAgent });
// Writes of this client are refused once the lease has run out, even if the process was asleep meanwhile.
const fenced = createClient({ transport, userAgent, fence: () => elector.fence() });

async function greet(leading: AbortSignal): Promise<void> {
  const informers = createInformerFactory({ client: plain, clock, random, log, metrics });
  const recorder = createEventRecorder({ client: fenced, clock, random, log, component: 'greeter' });
  const configMaps = informers.informer(resources.configMaps).lister;

  const controller = createLoop(
    { name: 'greeter', informers, clock, log, metrics },
    {
      queue: 'greeter',
      resource: resources.configMaps,
      workers: 2,
      triggers: [forObject(resources.configMaps)],
      async reconcile(key, signal) {
        const configMap = configMaps.get(key);
        const greeting = configMap && greetingFor(configMap);
        if (greeting === undefined) return;
        const body = { metadata: { annotations: { [GREETING]: greeting } } };
        await fenced.resource(resources.configMaps).patch(configMap!.metadata, 'merge', body, { signal });
        recorder.event(configMap!, 'Normal', 'Greeted', greeting);
        log.info('Greeted', { configMap: keyOf(configMap!) });
      },
    },
  );
  informers.start(leading);
  await controller.run(leading);
  await informers.shutdown();
  await recorder.stop(AbortSignal.timeout(1000));
}

/** What is to be written; nothing where it stands already, so that a second look writes nothing. */
function greetingFor({ metadata: { annotations } }: ConfigMap): string | undefined {
  const name = annotations?.[ASKED];
  const greeting = name && `Hello, ${name}!`;
  return greeting === annotations?.[GREETING] ? undefined : greeting;
}

const elector = new LeaderElector({
  lock: new LeaseLock({ client: plain, namespace: 'default', name: 'greeter', identity }),
  leaseDuration: 15_000,
  renewDeadline: 10_000,
  retryPeriod: 2_000,
  releaseOnCancel: true,
  callbacks: {
    onStartedLeading: greet,
    onStoppedLeading: () => log.info('No longer leading'),
    onNewLeader: (leader) => log.info('Leader', { leader }),
  },
  clock,
  random,
  log,
});

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.once('SIGINT', () => stop.abort());
await elector.run(stop.signal);
await transport.close();
