import { describe, expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { Metrics } from '#pkg/metrics';
import { FakeClock, FakeCluster, LaggingInformers, pod } from '#pkg/testing';

import { ConsistencyStore } from './consistency-store.ts';

const { pods, replicaSets } = resources;

/** Pods are read 1 s late, ReplicaSets at once. */
async function setUp() {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = new LaggingInformers({ cluster, clock, lag: ({ kind }) => (kind === 'Pod' ? 1000 : 0) });
  const tracked = [informers.informer(pods), informers.informer(replicaSets)];
  const end = new AbortController();
  informers.start(end.signal);
  await clock.step(1000);
  const metrics = new Metrics();
  return {
    clock,
    cluster,
    metrics,
    end,
    consistency: new ConsistencyStore({ informers: tracked, metrics, subsystem: 'test' }),
  };
}

describe('ConsistencyStore', () => {
  test('holds a key until the cache has read its write, and counts what it held', async () => {
    const { clock, cluster, metrics, consistency } = await setUp();
    const written = cluster.create(pods, pod('a'));
    expect(consistency.ensureReady('k')).toBeUndefined();
    consistency.wroteAt('k', 'uid', pods, written.metadata.resourceVersion);
    expect(consistency.ensureReady('other')).toBeUndefined();
    expect(consistency.ensureReady('k')).toMatchObject({ resource: pods, read: '100', wrote: '101' });
    await clock.step(1000);
    expect(consistency.ensureReady('k')).toBeUndefined();
    expect(await metrics.expose()).toContain('test_stale_sync_skips_total{group="",resource="pods"} 1');
  });

  test('only the newest write of a resource counts', async () => {
    const { clock, cluster, consistency } = await setUp();
    consistency.wroteAt('k', 'uid', pods, cluster.create(pods, pod('a')).metadata.resourceVersion);
    await clock.step(500);
    const newest = cluster.create(pods, pod('b')).metadata.resourceVersion;
    consistency.wroteAt('k', 'uid', pods, newest);
    consistency.wroteAt('k', 'uid', pods, '9');
    await clock.step(500);
    expect(consistency.ensureReady('k')?.wrote).toBe(newest);
  });

  test('says when it has caught up, or that nobody waits any more', async () => {
    const { clock, cluster, consistency, end } = await setUp();
    consistency.wroteAt('k', 'uid', pods, cluster.create(pods, pod('a')).metadata.resourceVersion);
    let caughtUp = false;
    const waiting = consistency
      .ensureReady('k')!
      .caughtUp(end.signal)
      .then(() => (caughtUp = true));
    await clock.step(999);
    expect(caughtUp).toBe(false);
    await clock.step(1);
    await waiting;
    consistency.wroteAt('k', 'uid', pods, '99999');
    const aborted = consistency.ensureReady('k')!.caughtUp(end.signal);
    end.abort(new Error('stopped'));
    await expect(aborted).rejects.toThrow('stopped');
  });

  test('another object of the name starts clean; forgetting an older one leaves it alone', async () => {
    const { consistency } = await setUp();
    consistency.wroteAt('k', 'old', pods, '500');
    consistency.wroteAt('k', 'new', replicaSets, '600');
    expect(consistency.ensureReady('k')?.resource).toBe(replicaSets);
    consistency.clear('k', 'old');
    expect(consistency.ensureReady('k')).toBeDefined();
    consistency.clear('k', 'new');
    expect(consistency.ensureReady('k')).toBeUndefined();
  });

  test('versions that cannot be compared, and resources nobody reads, hold nobody', async () => {
    const { consistency } = await setUp();
    consistency.wroteAt('k', 'uid', pods, 'abc');
    consistency.wroteAt('k', 'uid', resources.services, '99999');
    expect(consistency.ensureReady('k')).toBeUndefined();
  });
});
