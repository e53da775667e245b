import { afterEach, describe, expect, test } from 'vitest';

import { ApiError, type Deployment, type DeploymentCondition, type ReplicaSet, isPodActive, resources } from '#pkg/api';
import { type World, createWorld, deployment, podTemplate, replicaSet, runFakeKubelet } from '#pkg/testing';

import { replicaSetController } from '../replicaset/index.ts';
import { REVISION, ROLLBACK_TO } from './annotations.ts';
import { deploymentController } from './index.ts';
import { newReplicaSetFor } from './template.ts';

const { deployments, pods, replicaSets } = resources;
const KEY = 'default/web';

let world: World;
afterEach(() => world.stop());

interface Settings extends Omit<Parameters<typeof createWorld>[0], 'controllers'> {
  /** From creation to ready by image, ms; undefined for never. */
  readonly startAfter?: (image: string) => number | undefined;
  readonly endAfter?: number;
}

async function started({ startAfter = () => 500, endAfter = 500, ...options }: Settings = {}): Promise<World> {
  world = createWorld({ hostileNames: false, controllers: [deploymentController, replicaSetController], ...options });
  runFakeKubelet({
    cluster: world.cluster,
    clock: world.clock,
    startAfter: (pod) => startAfter(pod.spec!.containers[0]!.image!),
    endAfter: () => endAfter,
  });
  await world.start();
  return world;
}

function create(spec: Partial<Deployment['spec']> = {}, metadata: Partial<Deployment['metadata']> = {}): Deployment {
  const { status: _, ...fresh } = deployment({ spec: { replicas: 4, ...spec }, metadata });
  return world.cluster.create(deployments, fresh);
}

const live = (): Deployment => world.cluster.get(deployments, KEY)!;

function change(spec: Partial<NonNullable<Deployment['spec']>>): void {
  world.cluster.update(deployments, { ...live(), spec: { ...live().spec!, ...spec } });
}

function annotate(annotations: Record<string, string>): void {
  world.cluster.update(deployments, {
    ...live(),
    metadata: { ...live().metadata, annotations: { ...live().metadata.annotations, ...annotations } },
  });
}

/** `image:replicas/ready` of every ReplicaSet of the Deployment, by revision. */
function sizes(): string[] {
  const owned = world.cluster
    .list(replicaSets)
    .filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === live().metadata.uid);
  return owned
    .toSorted((a, b) => Number(a.metadata.annotations?.[REVISION]) - Number(b.metadata.annotations?.[REVISION]))
    .map(
      (one) =>
        `${one.spec!.template!.spec!.containers[0]!.image} ${one.spec!.replicas}/${one.status?.availableReplicas ?? 0}`,
    );
}

function condition(type: string): Pick<DeploymentCondition, 'status' | 'reason'> | undefined {
  const found = live().status?.conditions?.find((one) => one.type === type);
  return found && { status: found.status, reason: found.reason! };
}

const activePods = (): number => world.cluster.list(pods).filter(isPodActive).length;

function imagesOfPods(): string[] {
  return [
    ...new Set(
      world.cluster
        .list(pods)
        .filter(isPodActive)
        .map(({ spec }) => spec!.containers[0]!.image!),
    ),
  ];
}

describe.each([{ realInformers: false }, { realInformers: true }])('a rollout, %o', (informers) => {
  test('comes up, says so, and is left alone once complete', async () => {
    const { clock, cluster, events } = await started(informers);
    create();
    await clock.step(5000);
    expect(sizes()).toEqual(['app:v1 4/4']);
    expect(live().metadata.annotations).toEqual({ [REVISION]: '1' });
    expect(live().status).toMatchObject({
      observedGeneration: 1,
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
      terminatingReplicas: 0,
    });
    expect(live().status?.unavailableReplicas).toBeUndefined();
    const [owned] = cluster.list(replicaSets);
    expect(
      live().status?.conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]),
    ).toEqual([
      ['Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'],
      [
        'Progressing',
        'True',
        'NewReplicaSetAvailable',
        `ReplicaSet "${owned!.metadata.name}" has successfully progressed.`,
      ],
    ]);
    expect(events.take().filter((line) => line.includes('ScalingReplicaSet'))).toEqual([
      `Normal ScalingReplicaSet Scaled up replica set ${owned!.metadata.name} from 0 to 4`,
    ]);
    const writes = cluster.writes.length;
    await clock.step(3_600_000);
    expect(cluster.writes.slice(writes)).toEqual([]);
  });

  test('moves to a new template within its bounds, and back to the old ReplicaSet', async () => {
    const { clock, cluster } = await started(informers);
    create();
    await clock.step(5000);
    const [first] = cluster.list(replicaSets);
    change({ template: podTemplate('app:v2') });
    const seen: number[] = [];
    for (let i = 0; i < 40; i++) {
      await clock.step(250);
      seen.push(activePods());
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(5);
    expect(sizes()).toEqual(['app:v1 0/0', 'app:v2 4/4']);
    expect(condition('Progressing')).toEqual({ status: 'True', reason: 'NewReplicaSetAvailable' });

    change({ template: podTemplate('app:v1') });
    await clock.step(20_000);
    expect(sizes()).toEqual(['app:v2 0/0', 'app:v1 4/4']);
    const again = cluster.get(replicaSets, `default/${first!.metadata.name}`)!;
    expect(again.metadata.uid).toBe(first!.metadata.uid);
    expect(again.metadata.annotations).toMatchObject({
      [REVISION]: '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
    expect(live().metadata.annotations?.[REVISION]).toBe('3');
  });
});

describe('a rollout that does not get on', () => {
  const broken: Settings = { startAfter: (image) => (image === 'app:broken' ? undefined : 500) };

  test('keeps what is available, times out, and recovers with the next template', async () => {
    const { clock } = await started(broken);
    create({ progressDeadlineSeconds: 30 });
    await clock.step(5000);
    change({ template: podTemplate('app:broken') });
    await clock.step(20_000);
    expect(sizes()).toEqual(['app:v1 3/3', 'app:broken 2/0']);
    expect(condition('Progressing')).toEqual({ status: 'True', reason: 'ReplicaSetUpdated' });
    await clock.step(20_000);
    expect(condition('Progressing')).toEqual({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    expect(condition('Available')).toEqual({ status: 'True', reason: 'MinimumReplicasAvailable' });

    change({ template: podTemplate('app:v3') });
    await clock.step(20_000);
    expect(sizes()).toEqual(['app:v1 0/0', 'app:broken 0/0', 'app:v3 4/4']);
    expect(condition('Progressing')).toEqual({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  test('is spread in proportion when scaled on the way', async () => {
    const { clock } = await started(broken);
    create({ replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
    await clock.step(5000);
    change({ template: podTemplate('app:broken') });
    await clock.step(10_000);
    expect(sizes()).toEqual(['app:v1 8/8', 'app:broken 5/0']);
    change({ replicas: 15 });
    await clock.step(10_000);
    // 18 allowed, 5 more than before, in the proportion 8 to 5.
    expect(sizes()).toEqual(['app:v1 11/11', 'app:broken 7/0']);
    change({ replicas: 5 });
    await clock.step(10_000);
    expect(
      sizes()
        .map((line) => Number(/ (\d+)\//.exec(line)![1]))
        .reduce((a, b) => a + b),
    ).toBe(8);
  });

  test('goes back by annotation, to the last revision or a named one', async () => {
    const { clock, events } = await started(broken);
    create();
    await clock.step(5000);
    change({ template: podTemplate('app:broken') });
    await clock.step(5000);
    events.take();
    annotate({ [ROLLBACK_TO]: '0' });
    await clock.step(10_000);
    expect(sizes()).toEqual(['app:broken 0/0', 'app:v1 4/4']);
    expect(events.take()).toContain('Normal DeploymentRollback Rolled back deployment "web" to revision 1');
    expect(live().metadata.annotations).toEqual({ [REVISION]: '3' });

    annotate({ [ROLLBACK_TO]: '7' });
    await clock.step(1000);
    expect(events.take()).toEqual([
      'Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to.',
    ]);
    annotate({ [ROLLBACK_TO]: '3' });
    await clock.step(1000);
    expect(events.take()).toEqual([
      'Warning DeploymentRollbackTemplateUnchanged The rollback revision contains the same template as current deployment "web"',
    ]);
    expect(live().metadata.annotations).toEqual({ [REVISION]: '3' });
  });
});

describe('pause', () => {
  test('holds a rollout, lets scaling through, and does not count against the deadline', async () => {
    const { clock } = await started();
    create({ progressDeadlineSeconds: 30 });
    await clock.step(5000);
    change({ paused: true, template: podTemplate('app:v2') });
    await clock.step(120_000);
    expect(sizes()).toEqual(['app:v1 4/4']);
    expect(condition('Progressing')).toEqual({ status: 'Unknown', reason: 'DeploymentPaused' });
    change({ replicas: 6 });
    await clock.step(5000);
    expect(sizes()).toEqual(['app:v1 6/6']);
    change({ paused: false });
    await clock.step(10);
    expect(condition('Progressing')?.reason).not.toBe('ProgressDeadlineExceeded');
    await clock.step(20_000);
    expect(sizes()).toEqual(['app:v1 0/0', 'app:v2 6/6']);
    expect(condition('Progressing')).toEqual({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });
});

describe('Recreate', () => {
  test('starts no new Pod before the last old one is gone', async () => {
    const { clock, cluster } = await started({ endAfter: 20_000 });
    create({ strategy: { type: 'Recreate' } });
    await clock.step(5000);
    change({ template: podTemplate('app:v2') });
    await clock.step(19_000);
    expect(cluster.list(pods).map(({ spec }) => spec!.containers[0]!.image)).toEqual([
      'app:v1',
      'app:v1',
      'app:v1',
      'app:v1',
    ]);
    expect(activePods()).toBe(0);
    await clock.step(5000);
    expect(imagesOfPods()).toEqual(['app:v2']);
    expect(sizes()).toEqual(['app:v1 0/0', 'app:v2 4/4']);
  });

  test('says that the old rollout is complete until the new ReplicaSet is there, and counts no Pod that is ending', async () => {
    let requests = 0;
    const { clock, cluster } = await started({ endAfter: 20_000, latency: () => (requests++ * 37) % 200 });
    create({ strategy: { type: 'Recreate' } });
    await clock.step(10_000);
    change({ template: podTemplate('app:v2') });
    const reasons = new Set<string | undefined>();
    const counts: number[] = [];
    for (let step = 0; step < 300; step++) {
      await clock.step(20);
      reasons.add(condition('Progressing')?.reason);
      const count = cluster.list(replicaSets)[0]!.status?.replicas ?? 0;
      if (counts.at(-1) !== count) counts.push(count);
    }
    expect(activePods()).toBe(0);
    expect([...reasons]).toEqual(['NewReplicaSetAvailable']);
    expect(counts).toEqual([4, 0]);
  });
});

describe('history', () => {
  test('old ReplicaSets beyond the limit go, the oldest first', async () => {
    const { clock } = await started();
    create({ revisionHistoryLimit: 2 });
    for (const version of [2, 3, 4, 5]) {
      await clock.step(10_000);
      change({ template: podTemplate(`app:v${version}`) });
    }
    await clock.step(20_000);
    expect(sizes()).toEqual(['app:v3 0/0', 'app:v4 0/0', 'app:v5 4/4']);
  });
});

describe('the name of the new ReplicaSet', () => {
  test('taken by a stranger, is changed by the collision count', async () => {
    const { clock, cluster } = await started();
    const first = newReplicaSetFor(deployment({ spec: { replicas: 4 } }), [], 1n);
    const stranger = replicaSet({ name: first.metadata.name!, template: podTemplate('other', { app: 'other' }) });
    cluster.create(replicaSets, {
      ...stranger,
      spec: { ...stranger.spec!, selector: { matchLabels: { app: 'other' } } },
    });
    create();
    await clock.step(5000);
    expect(live().status).toMatchObject({ collisionCount: 1, availableReplicas: 4 });
    expect(sizes()).toEqual(['app:v1 4/4']);
    const own = cluster.list(replicaSets).find(({ metadata }) => metadata.ownerReferences)!;
    expect(own.metadata.name).not.toBe(first.metadata.name);
    expect(own.metadata.labels?.['pod-template-hash']).toBe(own.metadata.name.slice('web-'.length));
    expect(own.spec!.selector.matchLabels).toEqual({
      app: 'web',
      'pod-template-hash': own.metadata.labels?.['pod-template-hash'],
    });
  });

  test('whose answer was lost is found again, not created twice', async () => {
    const { clock, cluster } = await started();
    let lost = 0;
    cluster.fault = ({ verb, type }) =>
      verb === 'create' && type.kind === 'ReplicaSet' && lost++ === 0 ? 'lose' : undefined;
    create();
    await clock.step(10_000);
    expect(lost).toBeGreaterThan(0);
    expect(live().status?.collisionCount).toBeUndefined();
    expect(sizes()).toEqual(['app:v1 4/4']);
  });
});

const quota = (): ApiError =>
  new ApiError({
    reason: 'Forbidden',
    code: 403,
    message: 'replicasets.apps "web" is forbidden: exceeded quota: small',
  });

describe('refusals', () => {
  test('of the ReplicaSet are told, and the rollout goes on when they end', async () => {
    const { clock, cluster, events } = await started();
    cluster.fault = ({ verb, type }) => (verb === 'create' && type.kind === 'ReplicaSet' ? quota() : undefined);
    create();
    await clock.step(1000);
    expect(live().status?.conditions).toMatchObject([
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ReplicaSetCreateError',
        message: expect.stringMatching(
          /^Failed to create new replica set "web-[a-z0-9]+": replicasets\.apps "web" is forbidden: exceeded quota: small$/,
        ) as string,
      },
    ]);
    expect(events.lines[0]).toMatch(
      /^Warning ReplicaSetCreateError Failed to create new replica set "web-[a-z0-9]+": .* exceeded quota: small$/,
    );
    const attempts = cluster.writes.filter(({ verb }) => verb === 'create').length;
    expect(attempts).toBeLessThan(15);
    cluster.fault = () => undefined;
    await clock.step(60_000);
    expect(sizes()).toEqual(['app:v1 4/4']);
    expect(condition('Progressing')).toEqual({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  test('of Pods reach the Deployment as ReplicaFailure, and go again', async () => {
    const { clock, cluster } = await started();
    cluster.fault = ({ verb, type }) => (verb === 'create' && type.kind === 'Pod' ? quota() : undefined);
    create();
    await clock.step(2000);
    expect(condition('ReplicaFailure')).toEqual({ status: 'True', reason: 'FailedCreate' });
    cluster.fault = () => undefined;
    await clock.step(600_000);
    expect(sizes()).toEqual(['app:v1 4/4']);
    expect(condition('ReplicaFailure')).toBeUndefined();
  });
});

describe('adoption and release', () => {
  const template = podTemplate('app:v0', { app: 'web', tier: 'old' });

  test('takes a matching orphan as an old revision and lets go what no longer matches', async () => {
    const { clock, cluster } = await started();
    const stray = replicaSet({
      name: 'stray',
      replicas: 0,
      template,
      metadata: { labels: { app: 'web', tier: 'old' } },
    });
    cluster.create(replicaSets, {
      ...stray,
      spec: { ...stray.spec!, selector: { matchLabels: { app: 'web', tier: 'old' } } },
    });
    const { metadata } = create();
    await clock.step(10_000);
    const adopted = (): ReplicaSet => cluster.get(replicaSets, 'default/stray')!;
    expect(adopted().metadata.ownerReferences).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'web',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(sizes().toSorted()).toEqual(['app:v0 0/0', 'app:v1 4/4']);

    cluster.change(replicaSets, 'default/stray', (old) => ({
      ...old,
      metadata: { ...old.metadata, labels: { app: 'other' } },
    }));
    await clock.step(1000);
    expect(adopted().metadata.ownerReferences).toEqual([]);
    expect(sizes()).toEqual(['app:v1 4/4']);
  });

  test('a Deployment under deletion writes nothing but its status', async () => {
    const { clock, cluster } = await started();
    create({}, { finalizers: ['foregroundDeletion'] });
    await clock.step(5000);
    const writes = cluster.writes.length;
    cluster.delete(deployments, KEY);
    change({ template: podTemplate('app:v2') });
    await clock.step(10_000);
    expect(new Set(cluster.writes.slice(writes).map(({ type, subresource }) => `${type.kind}/${subresource}`))).toEqual(
      new Set(['Deployment/status']),
    );
    expect(live().status?.observedGeneration).toBe(live().metadata.generation);
  });
});
