import { resources, splitKey } from '#pkg/api';
import { createLoop, defineController } from '#pkg/controller';
import { bucketRateLimiter, exponentialRateLimiter, maxOfRateLimiters } from '#pkg/workqueue';

import { Api } from './api.ts';
import { namespaceDescription } from './controller.ts';
import { deleteNamespace } from './reconcile.ts';
import { SharedDiscovery } from './shared-discovery.ts';
import { onTerminating } from './triggers.ts';

/** Empties namespaces that are being deleted, and lets them go. */
export const namespaceController = defineController({
  ...namespaceDescription,
  create(context) {
    const { client, clock, log } = context;
    const namespaces = context.informers.informer(resources.namespaces).lister;
    const discovery = new SharedDiscovery(client, clock);
    const api = new Api(client);
    return createLoop(context, {
      queue: 'namespace',
      resource: resources.namespaces,
      workers: context.options['concurrent-namespace-syncs'],
      triggers: [onTerminating(context.options['namespace-sync-period'])],
      // Namespaces that go are fewer than what is in them, so they are retried sooner than other objects.
      rateLimiter: maxOfRateLimiters(exponentialRateLimiter(5, 60_000), bucketRateLimiter(10, 100, clock)),
      async reconcile(key, signal) {
        const { name } = splitKey(key);
        if (namespaces.get(key) === undefined) return;
        return deleteNamespace(name, { api, discovery, clock, log }, signal);
      },
    });
  },
});
