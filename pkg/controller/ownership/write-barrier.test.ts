import { describe, expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { Metrics } from '#pkg/metrics';
import { FakeClock, FakeCluster, LaggingInformers, pod } from '#pkg/testing';

import { WriteBarrier } from './write-barrier.ts';

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
    barrier: new WriteBarrier({ informers: tracked, metrics, subsystem: 'test' }),
  };
}

describe('WriteBarrier', () => {
  test('holds a key until the cache has read its write, and counts what it held', async () => {
    const { clock, cluster, metrics, barrier } = await setUp();
    const written = cluster.create(pods, pod('a'));
    expect(barrier.behind('k')).toBeUndefined();
    barrier.wrote('k', 'uid', pods, written.metadata.resourceVersion);
    expect(barrier.behind('other')).toBeUndefined();
    expect(barrier.behind('k')).toMatchObject({ resource: pods, read: '100', wrote: '101' });
    await clock.step(1000);
    expect(barrier.behind('k')).toBeUndefined();
    expect(await metrics.expose()).toContain('test_stale_sync_skips_total{group="",resource="pods"} 1');
  });

  test('only the newest write of a resource counts', async () => {
    const { clock, cluster, barrier } = await setUp();
    barrier.wrote('k', 'uid', pods, cluster.create(pods, pod('a')).metadata.resourceVersion);
    await clock.step(500);
    const newest = cluster.create(pods, pod('b')).metadata.resourceVersion;
    barrier.wrote('k', 'uid', pods, newest);
    barrier.wrote('k', 'uid', pods, '9');
    await clock.step(500);
    expect(barrier.behind('k')?.wrote).toBe(newest);
  });

  test('says when it has caught up, or that nobody waits any more', async () => {
    const { clock, cluster, barrier, end } = await setUp();
    barrier.wrote('k', 'uid', pods, cluster.create(pods, pod('a')).metadata.resourceVersion);
    let caughtUp = false;
    const waiting = barrier
      .behind('k')!
      .caughtUp(end.signal)
      .then(() => (caughtUp = true));
    await clock.step(999);
    expect(caughtUp).toBe(false);
    await clock.step(1);
    await waiting;
    barrier.wrote('k', 'uid', pods, '99999');
    const aborted = barrier.behind('k')!.caughtUp(end.signal);
    end.abort(new Error('stopped'));
    await expect(aborted).rejects.toThrow('stopped');
  });

  test('another object of the name starts clean; forgetting an older one leaves it alone', async () => {
    const { barrier } = await setUp();
    barrier.wrote('k', 'old', pods, '500');
    barrier.wrote('k', 'new', replicaSets, '600');
    expect(barrier.behind('k')?.resource).toBe(replicaSets);
    barrier.forget('k', 'old');
    expect(barrier.behind('k')).toBeDefined();
    barrier.forget('k', 'new');
    expect(barrier.behind('k')).toBeUndefined();
  });

  test('versions that cannot be compared, and resources nobody reads, hold nobody', async () => {
    const { barrier } = await setUp();
    barrier.wrote('k', 'uid', pods, 'abc');
    barrier.wrote('k', 'uid', resources.services, '99999');
    expect(barrier.behind('k')).toBeUndefined();
  });
});
