import { describe, expect, test } from 'vitest';

import { type ControllerRevision, type ReplicaSet, controllerOf, resources } from '#pkg/api';
import { ownership } from '#pkg/controller';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FakeClock, FakeCluster, LaggingInformers, RecordedEvents, podTemplate, replicaSet } from '#pkg/testing';

import { History } from './history.ts';
import { newRevision, templatePatch } from './revision.ts';

const { controllerRevisions, replicaSets } = resources;
const { signal } = new AbortController();

/** Any owner will do: here a ReplicaSet. */
async function setUp() {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = new LaggingInformers({ cluster, clock });
  const client = cluster.client();
  const context = {
    client,
    informers,
    recorder: new RecordedEvents(),
    clock,
    log: silentLogger,
    metrics: new Metrics(),
  };
  const owners = ownership(context, replicaSets);
  const revisions = owners.owns(controllerRevisions, { releases: false });
  const releasing = owners.owns(controllerRevisions);
  const owner = cluster.create(replicaSets, replicaSet({ name: 'web' }));
  const history = new History(revisions);
  const abort = new AbortController();
  informers.start(abort.signal);
  await clock.step(1);
  return { clock, cluster, history, owner, revisions, releasing, consistency: owners.consistency! };
}

const draftOf = (owner: ReplicaSet, image: string, collisionCount = 0) =>
  newRevision({
    owner,
    ownerType: replicaSets,
    data: templatePatch(podTemplate(image)),
    labels: { app: 'web' },
    revision: 1,
    collisionCount,
  });
const names = (revisions: readonly ControllerRevision[]): string[] => revisions.map(({ metadata }) => metadata.name);

test('what is created is listed once the cache shows it, and the store waits for that', async () => {
  const { clock, cluster, history, owner, revisions, consistency } = await setUp();
  const draft = draftOf(owner, 'app:<1>');
  const { revision, collisionCount } = await history.create(owner, draft, 0, signal);
  expect([revision.metadata.name, collisionCount]).toEqual([draft.object.metadata.name, 0]);
  expect(consistency.ensureReady('default/web')).toBeDefined();
  await clock.step(1);
  expect(consistency.ensureReady('default/web')).toBeUndefined();
  expect(names(revisions.matching(owner))).toEqual(names(cluster.list(controllerRevisions)));
});

test('created again it is the one that is there; a name taken by other data makes way', async () => {
  const { cluster, history, owner } = await setUp();
  const draft = draftOf(owner, 'app:1');
  await history.create(owner, draft, 0, signal);
  expect((await history.create(owner, draft, 0, signal)).collisionCount).toBe(0);
  expect(cluster.list(controllerRevisions)).toHaveLength(1);

  const taken = draftOf(owner, 'app:2');
  cluster.create(controllerRevisions, { ...taken.object, data: { spec: {} } });
  const { revision, collisionCount } = await history.create(owner, taken, 0, signal);
  expect(collisionCount).toBe(1);
  expect(revision.metadata.name).toBe(draftOf(owner, 'app:2', 1).object.metadata.name);
  expect(revision.metadata.labels).toEqual(taken.object.metadata.labels);
});

test('orphans that match are adopted; of strangers and others nothing is seen', async () => {
  const { clock, cluster, owner, revisions, releasing } = await setUp();
  const put = (
    name: string,
    labels: Record<string, string>,
    ownerReferences: ControllerRevision['metadata']['ownerReferences'] = [],
  ): void => {
    cluster.create(controllerRevisions, { metadata: { name, labels, ownerReferences }, revision: 1 });
  };
  const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', controller: true };
  put('orphan', { app: 'web' });
  put('other', { app: 'other' });
  put('foreign', { app: 'web' }, [{ ...reference, name: 'x', uid: 'x' }]);
  put('strayed', { app: 'other' }, [{ ...reference, name: 'web', uid: owner.metadata.uid }]);
  await clock.step(1);
  expect(names(await revisions.claim(owner, signal))).toEqual(['orphan']);
  expect(controllerOf(cluster.get(controllerRevisions, 'default/orphan')!)?.uid).toBe(owner.metadata.uid);
  expect(controllerOf(cluster.get(controllerRevisions, 'default/strayed')!)).toBeDefined();
  await clock.step(1);
  await releasing.claim(owner, signal);
  expect(controllerOf(cluster.get(controllerRevisions, 'default/strayed')!)).toBeUndefined();
});

describe('changes', () => {
  test('a new number is one small patch, the same number none; deletions go in order', async () => {
    const { cluster, history, owner } = await setUp();
    const { revision } = await history.create(owner, draftOf(owner, 'app:1'), 0, signal);
    cluster.writes.length = 0;
    expect(await history.renumber(owner, revision, 1, signal)).toBe(revision);
    expect((await history.renumber(owner, revision, 7, signal)).revision).toBe(7);
    expect(cluster.writes.map(({ verb, body }) => [verb, body])).toEqual([
      ['patch', { metadata: { uid: revision.metadata.uid }, revision: 7 }],
    ]);
    await history.delete([revision], signal);
    await history.delete([revision], signal);
    expect(cluster.list(controllerRevisions)).toEqual([]);
  });
});
