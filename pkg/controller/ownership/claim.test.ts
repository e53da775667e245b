import { describe, expect, test } from 'vitest';

import { ApiError, type Pod, type ReplicaSet, compileLabels, resources } from '#pkg/api';
import { silentLogger } from '#pkg/log';
import { FakeClock, FakeCluster, at, pod, replicaSet } from '#pkg/testing';

import { claim, filterClaimed } from './claim.ts';

const { pods, replicaSets } = resources;

function setUp(ownerMetadata: Partial<ReplicaSet['metadata']> = {}) {
  const cluster = new FakeCluster({ clock: new FakeClock() });
  const owner = cluster.create(replicaSets, replicaSet({ name: 'owner', metadata: ownerMetadata }));
  const wrote: string[] = [];
  const put = (
    name: string,
    controller: ReplicaSet | undefined,
    labels: Record<string, string>,
    metadata: Partial<Pod['metadata']> = {},
  ): Pod => {
    const base = pod(name, controller);
    return cluster.create(pods, { ...base, metadata: { ...base.metadata, labels, ...metadata } });
  };
  const run = async (finalizers?: string[], seenOwner = owner): Promise<string[]> => {
    const claimed = await claim({
      owner: seenOwner,
      ownerType: replicaSets,
      type: pods,
      selector: compileLabels({ app: 'web' }),
      candidates: cluster.list(pods),
      ownerClient: cluster.client().resource(replicaSets),
      client: cluster.client().resource(pods),
      wrote: ({ metadata }) => wrote.push(metadata.name),
      log: silentLogger,
      ...(finalizers ? { finalizers } : {}),
    });
    return claimed.map(({ metadata }) => metadata.name);
  };
  const controllersOf = (name: string): string[] =>
    (cluster.get(pods, `default/${name}`)?.metadata.ownerReferences ?? []).map((reference) => reference.uid);
  return { cluster, owner, put, run, wrote, controllersOf };
}

const web = { app: 'web' };
const other = { app: 'other' };
const stranger = replicaSet({ name: 'stranger' });

test('keeps its own, adopts matching orphans, releases what matches no longer, passes over the rest', async () => {
  const { cluster, owner, put, run, wrote, controllersOf } = setUp();
  put('kept', owner, web);
  put('orphan', undefined, web);
  put('released', owner, other);
  put('foreign', stranger, web);
  put('unrelated', undefined, other);
  put('dying-orphan', undefined, web, { deletionTimestamp: at(1) });
  put('elsewhere', undefined, web, { namespace: 'other' });
  expect(await run()).toEqual(['kept', 'orphan']);
  expect(wrote.toSorted()).toEqual(['orphan', 'released']);
  expect(controllersOf('orphan')).toEqual([owner.metadata.uid]);
  expect(controllersOf('released')).toEqual([]);
  expect(cluster.reads.filter(({ verb }) => verb === 'get')).toHaveLength(1);
  expect(cluster.writes.map(({ body }) => body)).toContainEqual({
    metadata: {
      uid: cluster.get(pods, 'default/released')!.metadata.uid,
      ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
    },
  });

  cluster.writes.length = 0;
  expect(await run()).toEqual(['kept', 'orphan']);
  expect(cluster.writes).toEqual([]);
});

test('nothing to adopt: the owner is not read', async () => {
  const { cluster, owner, put, run } = setUp();
  put('kept', owner, web);
  put('released', owner, other);
  await run();
  expect(cluster.reads).toEqual([]);
});

test('finalizers come with adoption and go with release', async () => {
  const { cluster, owner, put, run } = setUp();
  put('orphan', undefined, web, { finalizers: ['keep'] });
  put('released', owner, other, { finalizers: ['keep', 'mine'] });
  await run(['mine']);
  expect(cluster.get(pods, 'default/orphan')!.metadata.finalizers).toEqual(['keep', 'mine']);
  expect(cluster.get(pods, 'default/released')!.metadata.finalizers).toEqual(['keep']);
});

describe('an owner that may not', () => {
  test('one under deletion keeps what it has and writes nothing', async () => {
    const { cluster, owner, put, run } = setUp({ deletionTimestamp: at(1), finalizers: ['foregroundDeletion'] });
    put('kept', owner, web);
    put('orphan', undefined, web);
    put('not-released', owner, other);
    expect(await run()).toEqual(['kept']);
    expect(cluster.writes).toEqual([]);
  });

  test('one deleted meanwhile adopts nothing, and the text says why', async () => {
    const { cluster, owner, put, run } = setUp({ finalizers: ['foregroundDeletion'] });
    const { uid } = put('orphan', undefined, web).metadata;
    cluster.delete(replicaSets, 'default/owner');
    const { deletionTimestamp } = cluster.get(replicaSets, 'default/owner')!.metadata;
    await expect(run(undefined, owner)).rejects.toThrow(
      `can't adopt Pod default/orphan (${uid}): default/owner has just been deleted at ${deletionTimestamp}`,
    );
    expect(cluster.writes).toEqual([]);
  });

  test('one replaced by another of its name', async () => {
    const { cluster, owner, put, run } = setUp();
    put('orphan', undefined, web);
    cluster.finish(replicaSets, 'default/owner');
    const { uid } = cluster.create(replicaSets, replicaSet({ name: 'owner' })).metadata;
    await expect(run(undefined, owner)).rejects.toThrow(
      `original ReplicaSet default/owner is gone: got uid ${uid}, wanted ${owner.metadata.uid}`,
    );
  });
});

describe('refused patches', () => {
  test.each([
    ['of an orphan that is gone: not claimed', 'orphan', 404, 'NotFound', []],
    ['of a dependent that is gone: released', 'released', 404, 'NotFound', ['orphan']],
    ['of a dependent that has no owner any more: released', 'released', 422, 'Invalid', ['orphan']],
  ])('%s', async (_name, target, code, reason, claimed) => {
    const { cluster, owner, put, run } = setUp();
    put('orphan', undefined, web);
    put('released', owner, other);
    cluster.fault = ({ key, verb }) =>
      verb === 'patch' && key === `default/${target}` ? new ApiError({ code, reason }) : undefined;
    expect(await run()).toEqual(claimed);
  });

  test('other failures are told together, after all were tried', async () => {
    const { cluster, owner, put, run, controllersOf } = setUp();
    put('first', undefined, web);
    put('second', owner, other);
    put('third', undefined, web);
    cluster.fault = ({ key, verb }) =>
      verb === 'patch' && key !== 'default/third'
        ? new ApiError({ code: 409, reason: 'Conflict', message: `no ${key}` })
        : undefined;
    await expect(run()).rejects.toThrow('[no default/first, no default/second]');
    expect(controllersOf('third')).toEqual([owner.metadata.uid]);
  });
});

test('filterClaimed: owned and selected, nothing written', () => {
  const owner = replicaSet({ name: 'owner' });
  const relabelled = { ...pod('c', owner), metadata: { ...pod('c', owner).metadata, labels: other } };
  const names = filterClaimed(owner, compileLabels(web), [pod('a', owner), pod('b'), relabelled]).map(
    ({ metadata }) => metadata.name,
  );
  expect(names).toEqual(['a']);
});
