import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type KubeObject, type ResourceType, isNotFound, resources } from '#pkg/api';

import { type ControlPlane, controlPlaneKind, originalManager, startControlPlane } from '../harness/control-plane.ts';
import { startDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { Child } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { NEVER_READY, type Workspace, namespacesOf, template } from '../harness/workspace.ts';

const LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' };
const CONTROLLERS = '--controllers=deployment-controller,replicaset-controller';
/** As a cluster runs it: the manager's own user may not touch workloads, the controllers' service accounts may. */
const ACCOUNTS = '--use-service-account-credentials';

let plane: ControlPlane;
let access: TestClient;
let workspace: (title: string) => Promise<Workspace>;
const running = new Set<Child>();

beforeAll(async () => {
  plane = await startControlPlane();
  access = await createTestClient(plane.adminKubeconfig);
  workspace = namespacesOf(access.client);
}, 150_000);
afterAll(async () => {
  await access.close();
  await plane.stop();
}, 30_000);
afterEach(async () => {
  for (const child of running) await child.stop('SIGKILL');
  running.clear();
  await access.client
    .resource(resources.leases)
    .delete(LEASE)
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
});

function manager(...flags: string[]): Child {
  const child = startDaemon({ kubeconfig: plane.managerKubeconfig, flags: [CONTROLLERS, ACCOUNTS, ...flags] });
  running.add(child);
  return child;
}

async function holder(): Promise<string> {
  const lease = await access.client
    .resource(resources.leases)
    .get(LEASE)
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  return lease?.spec?.holderIdentity ?? '';
}

/** The holder once there is one other than `before`. */
const nextHolder = (before: string, timeout = 30_000): Promise<string> =>
  eventually(async () => {
    const found = await holder();
    expect(['', before]).not.toContain(found);
    return found;
  }, timeout);

describe(`leadership on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('passes to the standby when the leader is killed', async () => {
    const timing = [
      '--leader-elect-lease-duration=5s',
      '--leader-elect-renew-deadline=4s',
      '--leader-elect-retry-period=1s',
    ];
    const at = await workspace('takeover');
    const leader = manager(...timing);
    const first = await nextHolder('');
    const standby = manager(...timing);
    await at.createDeployment();
    await at.complete();
    await standby.prints(/attempting to acquire leader lease/i);

    const killed = performance.now();
    expect(await leader.stop('SIGKILL')).toBe('SIGKILL');
    await at.update({ template: template('app:v2') });
    const second = await nextHolder(first);
    // The lease's duration, one period with its jitter, and time for a busy machine.
    expect(performance.now() - killed).toBeLessThan(5000 + 2200 + 2000);
    expect(second).not.toBe(first);
    await at.complete();
    expect(await at.sizes()).toEqual(['app:v1 0/0', 'app:v2 3/3']);
    expect(standby.running).toBe(true);
  });

  test('is given up by a leader that is told to stop, and taken within two seconds', async () => {
    const leader = manager();
    const first = await nextHolder('');
    const standby = manager();
    await standby.prints(/attempting to acquire leader lease/i);
    const at = await workspace('takeover');
    await at.createDeployment();
    await at.complete();

    const ending = leader.stop('SIGTERM');
    await eventually(async () => expect(await holder()).not.toBe(first));
    const released = performance.now();
    await nextHolder(first);
    expect(performance.now() - released).toBeLessThan(2000);
    expect(await ending).toBe(0);
    await at.update({ template: template('app:v2') });
    await at.complete();
    expect(await standby.stop('SIGTERM')).toBe(0);
  });

  test('lost without its doing, ends the process', async () => {
    const leader = manager(
      '--leader-elect-lease-duration=4s',
      '--leader-elect-renew-deadline=3s',
      '--leader-elect-retry-period=1s',
    );
    await nextHolder('');
    await eventually(async () => {
      const leases = access.client.resource(resources.leases);
      const lease = await leases.get(LEASE);
      const renewTime = new Date(Date.now() + 60_000).toISOString().replace('Z', '000Z');
      await leases.update({
        ...lease,
        spec: { ...lease.spec!, holderIdentity: 'someone-else', leaseDurationSeconds: 60, renewTime },
      });
    });
    expect(await leader.stop('SIGCONT', 20_000)).toBe(1);
    expect(leader.output).toMatch(/leader ?election lost/i);
  });
});

const original = originalManager();

describe(`two managers without a lease on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  const second = original ? 'the original and ours' : 'two of ours';

  test(`${second} make one ReplicaSet of each template`, async () => {
    const at = await workspace('two-managers');
    manager('--leader-elect=false');
    const flags = [`--kubeconfig=${plane.managerKubeconfig}`, '--leader-elect=false', '--secure-port=0'];
    const roller = [...flags, '--controllers=deployment-controller'];
    running.add(
      original
        ? new Child('the original', original, roller)
        : startDaemon({ kubeconfig: plane.managerKubeconfig, flags: roller }),
    );
    const names = ['a', 'b', 'c', 'd', 'e'];
    const of = (app: string, image: string) => template(image, undefined, { app });
    await Promise.all(
      names.map((app) =>
        at.createDeployment({ selector: { matchLabels: { app } }, template: of(app, 'app:v1') }, { name: app }),
      ),
    );
    for (const app of names) await at.complete(app);
    for (const app of names) {
      await at.client
        .resource(resources.deployments)
        .patch({ namespace: at.namespace, name: app }, 'merge', { spec: { template: of(app, 'app:v2') } });
    }
    for (const app of names) await at.complete(app);
    const made = (await at.list(resources.replicaSets)).map(
      ({ metadata, spec }) => `${metadata.labels!['app']} ${spec!.template!.spec!.containers[0]!.image}`,
    );
    expect(made.toSorted()).toEqual(names.flatMap((app) => [`${app} app:v1`, `${app} app:v2`]));
    for (const app of names) expect((await at.get(resources.deployments, app)).status?.collisionCount).toBeUndefined();
  });
});

/** Every change of a kind since now, until `stop`. */
async function recordChanges<T extends KubeObject>(
  at: Workspace,
  type: ResourceType<T>,
): Promise<() => Promise<string[]>> {
  const client = at.client.resource(type);
  const { metadata, items } = await client.list({ namespace: at.namespace });
  const stop = new AbortController();
  const changes: string[] = [];
  const last = new Map<string, T>(items.map((item) => [item.metadata.name, item]));
  const watching = (async () => {
    for await (const event of client.watch({
      namespace: at.namespace,
      resourceVersion: metadata.resourceVersion,
      signal: stop.signal,
    })) {
      if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue;
      const { name } = event.object.metadata;
      changes.push(
        `${event.type} ${type.kind} ${name}: ${JSON.stringify(last.get(name))} -> ${JSON.stringify(event.object)}`,
      );
      last.set(name, event.object);
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) changes.push(`lost the watch: ${String(error)}`);
  });
  return async () => {
    stop.abort();
    await watching;
    return changes;
  };
}

describe.skipIf(!original)(
  `a cluster of the original manager${original ? '' : ' (no kube-controller-manager in KUBEBUILDER_ASSETS: skipped)'}`,
  { timeout: 120_000 },
  () => {
    function startOriginal(): Child {
      const flags = [`--kubeconfig=${plane.managerKubeconfig}`, '--secure-port=0', CONTROLLERS, ACCOUNTS];
      const child = new Child('the original', original!, flags);
      running.add(child);
      return child;
    }

    /** The leader has synced everything once, if it has brought up what was created last. */
    async function works(): Promise<void> {
      const elsewhere = await workspace('takeover');
      await elsewhere.createDeployment();
      await elsewhere.complete();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }

    test('is taken over and given back without a write to what is settled', async () => {
      const at = await workspace('takeover');
      const first = startOriginal();
      const before = await nextHolder('');
      const plain = { selector: { matchLabels: { app: 'web' } } };
      await at.createDeployment({ ...plain, replicas: 4 });
      await at.complete();
      await at.update({ template: template('app:v2') });
      await at.complete();
      await at.createDeployment(
        {
          paused: true,
          selector: { matchLabels: { app: 'paused' } },
          template: template('app:v1', undefined, { app: 'paused' }),
        },
        { name: 'paused' },
      );
      const stuck = template('app:v1', NEVER_READY, { app: 'stuck' });
      await at.createDeployment({ selector: { matchLabels: { app: 'stuck' } }, template: stuck }, { name: 'stuck' });
      await at.createDeployment(
        {
          strategy: { type: 'Recreate' },
          selector: { matchLabels: { app: 'again' } },
          template: template('app:v1', undefined, { app: 'again' }),
        },
        { name: 'again' },
      );
      await at.complete('again');
      await eventually(async () =>
        expect((await at.get(resources.deployments, 'stuck')).status?.unavailableReplicas).toBe(3),
      );

      const records = await Promise.all([
        recordChanges(at, resources.deployments),
        recordChanges(at, resources.replicaSets),
        recordChanges(at, resources.pods),
      ]);
      expect(await first.stop('SIGKILL')).toBe('SIGKILL');
      const ours = manager();
      const second = await nextHolder(before, 45_000);
      await works();
      const third = startOriginal();
      expect(await ours.stop('SIGTERM')).toBe(0);
      await nextHolder(second);
      await works();
      expect(third.running).toBe(true);
      const changes = await Promise.all(records.map((end) => end()));
      expect(changes.flat()).toEqual([]);
      await at.update({ template: template('app:v1') });
      await at.complete();
      expect(await at.replicaSets()).toHaveLength(4);
    });
  },
);
