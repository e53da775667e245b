/**
 * A candidate as a process of its own. While it leads it writes its name into a ConfigMap as fast as it can, through a
 * client that is fenced; nothing else stops those writes. One line of JSON for each thing that happens.
 *
 *     node test/election/candidate.ts <kubeconfig> <identity> <lease duration> <renew deadline> <retry period> [polling]
 *
 * Durations in ms. `polling`: looks at the lease every retry period, as client-go does, and does not watch it.
 */
import { type ConfigMap, isNotFound, resources } from '#pkg/api';
import { describeError, systemClock, systemRandom } from '#pkg/base';
import { createClient } from '#pkg/client';
import { LeaderElectionError, LeaderElector, LeaseLock, type ResourceLock } from '#pkg/leaderelection';
import { silentLogger } from '#pkg/log';
import { createHttpTransport, loadClientConfig } from '#pkg/transport';

import { CONFIG_MAP, LEASE, NAMESPACE } from './names.ts';

const [kubeconfig = '', identity = '', ...durations] = process.argv.slice(2);
const [leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2000] = durations.slice(0, 3).map(Number);
const polling = durations[3] === 'polling';

const say = (line: object): void => void process.stdout.write(`${JSON.stringify({ identity, ...line })}\n`);

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')));

const transport = createHttpTransport(await loadClientConfig({ kubeconfig }));
const lock = new LeaseLock({
  client: createClient({ transport, userAgent: `${identity} leader-election`, qps: -1 }),
  namespace: NAMESPACE,
  name: LEASE,
  identity,
});
const pollingLock: ResourceLock = {
  identity,
  describe: () => lock.describe(),
  get: (options) => lock.get(options),
  create: (record, options) => lock.create(record, options),
  update: (record, options) => lock.update(record, options),
  recordEvent: () => {},
};
const elector = new LeaderElector({
  lock: polling ? pollingLock : lock,
  leaseDuration,
  renewDeadline,
  retryPeriod,
  releaseOnCancel: true,
  clock: systemClock,
  random: systemRandom,
  log: silentLogger,
  callbacks: {
    onStartedLeading: (signal) => {
      say({ event: 'leading', at: Date.now() });
      return write(signal);
    },
    onStoppedLeading: () => say({ event: 'stopped', at: Date.now() }),
    onNewLeader: (leader) => say({ event: 'leader', leader }),
  },
});

const configMaps = createClient({
  transport,
  userAgent: identity,
  qps: -1,
  fence: () => elector.fence(),
}).resource<ConfigMap>(resources.configMaps);

/** Ends only when told to: a lost lease must be no reason of its own to stop, so that the fence is put to the test. */
async function write(signal: AbortSignal): Promise<void> {
  for (let count = 1; !(signal.aborted && stop.signal.aborted); count++) {
    try {
      const body = { data: { writer: identity, count: String(count) } };
      await configMaps.patch({ namespace: NAMESPACE, name: CONFIG_MAP }, 'merge', body, { timeout: 2000 });
    } catch (error) {
      if (error instanceof LeaderElectionError) {
        say({ event: 'fenced', code: error.code, at: Date.now() });
        // Some more, to be sure that it stays closed.
        if (count > 20_000) return;
        count = Math.max(count, 19_980);
      } else if (isNotFound(error)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

try {
  say({ event: 'started' });
  await elector.run(stop.signal);
  // Time enough for writes that should not be.
  if (!stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 300));
  process.exitCode = stop.signal.aborted ? 0 : 1;
} catch (error) {
  say({ event: 'failed', error: describeError(error) });
  process.exitCode = 2;
}
stop.abort();
await transport.close();
