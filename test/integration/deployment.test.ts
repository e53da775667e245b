import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type ReplicaSet, isPodReady, isPodTerminal, resources } from '#pkg/api';

import { templateHash } from '../../controllers/internal/go-hash/index.ts';
import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { ENDS_SLOWLY, NEVER_READY, type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const HASH = 'pod-template-hash';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

/** Sizes once they are `expected`. */
const sized = (at: Workspace, expected: readonly string[]): Promise<void> =>
  eventually(async () => expect(await at.sizes()).toEqual(expected));

describe.concurrent(`Deployments on the ${controlPlaneKind()}`, { timeout: 60_000 }, () => {
  test('come up with a ReplicaSet of their own, tell so, and are left alone', async ({ at }) => {
    const { metadata } = await at.createDeployment(
      { replicas: 3 },
      { annotations: { note: 'x' }, labels: { team: 'a' } },
    );
    const done = await at.complete();
    expect(done.metadata.annotations).toEqual({ note: 'x', [REVISION]: '1' });
    expect(done.metadata.generation).toBe(1);
    const { conditions, ...counts } = done.status!;
    expect(counts).toEqual({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
    });
    const [owned, ...others] = await at.replicaSets();
    expect(others).toEqual([]);
    const hash = owned!.metadata.labels![HASH]!;
    expect(hash).toBe(templateHash(done.spec!.template));
    expect(owned!.metadata).toMatchObject({
      name: `web-${hash}`,
      labels: { app: 'web', [HASH]: hash },
      annotations: {
        note: 'x',
        [REVISION]: '1',
        'deployment.kubernetes.io/desired-replicas': '3',
        'deployment.kubernetes.io/max-replicas': '4',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: 'web',
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
    expect(owned!.spec!.selector).toEqual({ matchLabels: { app: 'web', [HASH]: hash } });
    for (const pod of await at.activePods()) {
      expect(pod.metadata.labels).toEqual({ app: 'web', [HASH]: hash });
      expect(pod.metadata.name).toMatch(new RegExp(`^web-${hash}-[bcdfghjklmnpqrstvwxz2456789]{5}$`));
    }
    expect(
      conditions!.map(({ type, status, reason, message }) => [type, status, reason, message].join('; ')).toSorted(),
    ).toEqual([
      'Available; True; MinimumReplicasAvailable; Deployment has minimum availability.',
      `Progressing; True; NewReplicaSetAvailable; ReplicaSet "web-${hash}" has successfully progressed.`,
    ]);
    await eventually(async () =>
      expect(await at.events('Deployment')).toEqual([
        `Normal ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`,
      ]),
    );
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect((await at.deployment()).metadata.resourceVersion).toBe(done.metadata.resourceVersion);
    expect((await at.get(resources.replicaSets, owned!.metadata.name)).metadata.resourceVersion).toBe(
      owned!.metadata.resourceVersion,
    );
  });

  test('roll out within surge and unavailability, never more, never fewer', async ({ at }) => {
    await at.createDeployment({
      replicas: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    });
    await at.complete();
    const since = await at.client.resource(resources.replicaSets).list({ namespace: at.namespace });
    const stop = new AbortController();
    const sizes = new Map(since.items.map(({ metadata, spec }) => [metadata.name, spec!.replicas!]));
    const totals: number[] = [];
    const watching = (async () => {
      const { resourceVersion } = since.metadata;
      for await (const event of at.client
        .resource(resources.replicaSets)
        .watch({ namespace: at.namespace, resourceVersion, signal: stop.signal })) {
        if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
        sizes.set(event.object.metadata.name, event.object.spec!.replicas!);
        totals.push([...sizes.values()].reduce((a, b) => a + b, 0));
      }
    })().catch(() => {});
    await at.update({ template: template('app:v2') });
    let least = 10;
    await eventually(async () => {
      const { status } = await at.deployment();
      least = Math.min(least, status?.availableReplicas ?? 0);
      expect(await at.sizes()).toEqual(['app:v1 0/0', 'app:v2 10/10']);
    });
    stop.abort();
    await watching;
    expect(Math.max(...totals)).toBe(13);
    expect(Math.min(...totals)).toBeGreaterThanOrEqual(8);
    expect(least).toBeGreaterThanOrEqual(8);
    const [old, fresh] = (await at.replicaSets()).map(({ metadata }) => metadata.name);
    await at.complete();
    const events = await at.events('Deployment');
    expect(events).toContain(`Normal ScalingReplicaSet Scaled up replica set ${fresh} from 0 to 3`);
    expect(events).toContain(`Normal ScalingReplicaSet Scaled down replica set ${old} from 10 to 8`);
    expect((await at.deployment()).metadata.annotations?.[REVISION]).toBe('2');
  });

  test('scale a rollout that is stuck in proportion', async ({ at }) => {
    await at.createDeployment({
      replicas: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    });
    await at.complete();
    await at.update({ template: template('app:v2', NEVER_READY) });
    await sized(at, ['app:v1 8/8', 'app:v2 5/0']);
    expect(await at.condition('Available')).toBe('True MinimumReplicasAvailable');
    await at.update({ replicas: 15 });
    await sized(at, ['app:v1 11/11', 'app:v2 7/0']);
    const sets = await at.replicaSets();
    for (const { metadata } of sets) {
      expect(metadata.annotations).toMatchObject({
        'deployment.kubernetes.io/desired-replicas': '15',
        'deployment.kubernetes.io/max-replicas': '18',
      });
    }
  });

  test('start and end no Pods beyond the new size when scaled without a rollout', async ({ at }) => {
    await at.createDeployment({ replicas: 1 });
    await at.complete();
    await at.update({ replicas: 4 });
    await at.complete();
    const [owned] = await at.replicaSets();
    await at.update({ replicas: 0 });
    await eventually(async () => {
      const { status } = await at.deployment();
      expect([status?.replicas, status?.terminatingReplicas, status?.observedGeneration]).toEqual([undefined, 0, 3]);
    });
    expect(await at.sizes()).toEqual(['app:v1 0/0']);
    expect((await at.events('Deployment')).slice(1)).toEqual([
      `Normal ScalingReplicaSet Scaled up replica set ${owned!.metadata.name} from 1 to 4`,
      `Normal ScalingReplicaSet Scaled down replica set ${owned!.metadata.name} from 4 to 0`,
    ]);
  });

  test('go back to the last revision, and to a named one, by annotation', async ({ at }) => {
    await at.createDeployment({}, { annotations: { note: 'first' } });
    await at.complete();
    await at.client.resource(resources.deployments).patch({ namespace: at.namespace, name: 'web' }, 'merge', {
      metadata: { annotations: { note: 'second' } },
      spec: { template: template('app:v2') },
    });
    await at.complete();
    await at.annotate({ 'deprecated.deployment.rollback.to': '0' });
    await sized(at, ['app:v2 0/0', 'app:v1 3/3']);
    const done = await at.complete();
    expect(done.metadata.annotations).toEqual({ note: 'first', [REVISION]: '3' });
    expect((await at.replicaSets())[1]!.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(await at.events('Deployment')).toContain(
      'Normal DeploymentRollback Rolled back deployment "web" to revision 1',
    );

    await at.annotate({ 'deprecated.deployment.rollback.to': '2' });
    await sized(at, ['app:v1 0/0', 'app:v2 3/3']);
    expect(await at.events('Deployment')).toContain(
      'Normal DeploymentRollback Rolled back deployment "web" to revision 2',
    );
    await at.annotate({ 'deprecated.deployment.rollback.to': '77' });
    await eventually(async () =>
      expect(await at.events('Deployment')).toContain(
        'Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to.',
      ),
    );
    await at.annotate({ 'deprecated.deployment.rollback.to': '4' });
    await eventually(async () =>
      expect(await at.events('Deployment')).toContain(
        'Warning DeploymentRollbackTemplateUnchanged The rollback revision contains the same template as current deployment "web"',
      ),
    );
    expect((await at.deployment()).metadata.annotations).not.toHaveProperty('deprecated.deployment.rollback.to');
  });

  test('go back when their template is replaced by an old one, as kubectl rollout undo does', async ({ at }) => {
    await at.createDeployment();
    await at.complete();
    await at.update({ template: template('app:v2') });
    await at.complete();
    const [first] = await at.replicaSets();
    const { [HASH]: _, ...labels } = first!.spec!.template!.metadata!.labels!;
    const value = { ...first!.spec!.template, metadata: { ...first!.spec!.template!.metadata, labels } };
    const patch = [{ op: 'replace', path: '/spec/template', value }];
    await at.client.resource(resources.deployments).patch({ namespace: at.namespace, name: 'web' }, 'json', patch);
    await sized(at, ['app:v2 0/0', 'app:v1 3/3']);
    const again = (await at.replicaSets())[1]!;
    expect(again.metadata.uid).toBe(first!.metadata.uid);
    expect(again.metadata.annotations).toMatchObject({
      [REVISION]: '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  test('Recreate starts nothing before the last old Pod is gone', async ({ at }) => {
    await at.createDeployment({ strategy: { type: 'Recreate' }, template: template('app:v1', ENDS_SLOWLY) });
    await at.complete();
    await at.update({ template: template('app:v2') });
    await eventually(async () => {
      const { status } = await at.deployment();
      expect([status?.terminatingReplicas, status?.replicas, status?.updatedReplicas]).toEqual([
        3,
        undefined,
        undefined,
      ]);
    });
    expect(await at.condition('Available')).toBe('False MinimumReplicasUnavailable');
    await eventually(async () => {
      const pods = await at.list(resources.pods);
      const images = pods.filter((pod) => !isPodTerminal(pod)).map(({ spec }) => spec!.containers[0]!.image);
      expect(new Set(images).size).toBeLessThanOrEqual(1);
      expect(images).toContain('app:v2');
    });
    await eventually(async () => expect((await at.sizes()).at(-1)).toBe('app:v2 3/3'));
    expect((await at.complete()).status?.terminatingReplicas).toBe(0);
  });

  test('paused, hold the rollout and follow their size; resumed, roll out', async ({ at }) => {
    await at.createDeployment();
    await at.complete();
    await at.update({ paused: true, template: template('app:v2') });
    await eventually(async () => expect(await at.condition('Progressing')).toBe('Unknown DeploymentPaused'));
    await at.update({ replicas: 5 });
    await sized(at, ['app:v1 5/5']);
    await at.update({ paused: false });
    await sized(at, ['app:v1 0/0', 'app:v2 5/5']);
    await at.complete();
  });

  test('miss their progress deadline, and recover', async ({ at }) => {
    await at.createDeployment({ progressDeadlineSeconds: 2, template: template('app:v1', NEVER_READY) });
    await eventually(async () => expect(await at.condition('Progressing')).toBe('False ProgressDeadlineExceeded'));
    const [stuck] = await at.replicaSets();
    const { status } = await at.deployment();
    expect(status?.conditions?.find(({ type }) => type === 'Progressing')?.message).toBe(
      `ReplicaSet "${stuck!.metadata.name}" has timed out progressing.`,
    );
    expect(await at.condition('Available')).toBe('False MinimumReplicasUnavailable');
    await at.update({ template: { metadata: { annotations: null }, spec: template('app:v2').spec } });
    await sized(at, ['app:v1 0/0', 'app:v2 3/3']);
    await at.complete();
  });

  test('keep as many old ReplicaSets as their limit says', async ({ at }) => {
    await at.createDeployment({ revisionHistoryLimit: 1, replicas: 1 });
    for (const version of [2, 3, 4]) {
      await at.complete();
      await at.update({ template: template(`app:v${version}`) });
    }
    await sized(at, ['app:v3 0/0', 'app:v4 1/1']);
    await at.update({ revisionHistoryLimit: 0 });
    await eventually(async () => expect(await at.sizes()).toEqual(['app:v4 1/1']));
  });

  test('find another name when theirs is taken', async ({ at }) => {
    await at.createDeployment({ replicas: 0 });
    await at.complete();
    const [owned] = await at.replicaSets();
    const { name } = owned!.metadata;
    await at.client
      .resource(resources.deployments)
      .delete({ namespace: at.namespace, name: 'web' }, { propagationPolicy: 'Background' });
    await at.client
      .resource(resources.replicaSets)
      .delete({ namespace: at.namespace, name })
      .catch(() => {});
    await eventually(async () => expect(await at.list(resources.replicaSets)).toEqual([]));
    await at.createReplicaSet(
      {
        replicas: 0,
        selector: { matchLabels: { app: 'stranger' } },
        template: template('x', undefined, { app: 'stranger' }),
      },
      { name, labels: { app: 'stranger' } },
    );
    await at.createDeployment({ replicas: 2 });
    const done = await at.complete();
    expect(done.status?.collisionCount).toBe(1);
    const own = (await at.replicaSets()).find(({ metadata }) => metadata.ownerReferences)!;
    expect(own.metadata.name).toBe(`web-${own.metadata.labels![HASH]}`);
    expect(own.metadata.name).not.toBe(name);
    expect(own.metadata.labels![HASH]).toBe(templateHash(done.spec!.template, 1));
  });

  test('adopt ReplicaSets that match, roll on from them, and release those that no longer do', async ({ at }) => {
    const labels = { app: 'web', tier: 'old' };
    await at.createReplicaSet(
      { replicas: 2, selector: { matchLabels: labels }, template: template('app:v0', undefined, labels) },
      { name: 'stray', labels },
    );
    await eventually(async () => expect(await at.sizes()).toEqual(['app:v0 2/2']));
    const { metadata } = await at.createDeployment({ replicas: 2 });
    await at.complete();
    const stray = (): Promise<ReplicaSet> => at.get(resources.replicaSets, 'stray');
    expect((await stray()).metadata.ownerReferences).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'web',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect((await stray()).spec!.replicas).toBe(0);
    await at.merge(resources.replicaSets, { metadata: { labels: { app: 'other' } } }, 'stray');
    await eventually(async () => expect((await stray()).metadata.ownerReferences ?? []).toEqual([]));
    expect(await at.events('Deployment')).toContain(
      'Normal ScalingReplicaSet Scaled down replica set stray from 2 to 1',
    );
  });

  test('take over the ReplicaSet of their template, whatever its name', async ({ at }) => {
    await at.createReplicaSet({ replicas: 3 }, { name: 'by-hand' });
    await eventually(async () => expect(await at.sizes()).toEqual(['app:v1 3/3']));
    const before = (await at.activePods()).map(({ metadata }) => metadata.uid).toSorted();
    await at.createDeployment();
    await at.complete();
    expect(await at.sizes()).toEqual(['app:v1 3/3']);
    expect((await at.activePods()).map(({ metadata }) => metadata.uid).toSorted()).toEqual(before);
    expect((await at.deployment()).status?.conditions?.map(({ reason }) => reason)).toContain('NewReplicaSetAvailable');
  });

  test('count Pods as available after minReadySeconds', async ({ at }) => {
    await at.createDeployment({ replicas: 2, minReadySeconds: 3 });
    await eventually(async () =>
      expect((await at.deployment()).status).toMatchObject({ readyReplicas: 2, unavailableReplicas: 2 }),
    );
    const ready = Date.now();
    await at.complete();
    expect(Date.now() - ready).toBeGreaterThan(1000);
    await at.update({ minReadySeconds: 1 });
    await eventually(async () => expect((await at.replicaSets())[0]!.spec?.minReadySeconds).toBe(1));
    expect(await at.replicaSets()).toHaveLength(1);
  });

  test('tell of Pods that cannot be created', async ({ at }) => {
    const refused = template('app:v1');
    await at.createDeployment({ template: { ...refused, spec: { ...refused.spec!, priorityClassName: 'nowhere' } } });
    await eventually(async () => expect(await at.condition('ReplicaFailure')).toBe('True FailedCreate'));
    const { status } = await at.deployment();
    const failure = status!.conditions!.find(({ type }) => type === 'ReplicaFailure')!;
    expect(failure.message).toMatch(
      /^pods "web-[a-z0-9]+-" is forbidden: no PriorityClass with name nowhere was found$/,
    );
    await at.update({ template: { spec: { priorityClassName: null } } });
    await at.complete();
    await eventually(async () => expect(await at.condition('ReplicaFailure')).toBeUndefined());
  });

  test('pass their annotations and labels on without a new revision', async ({ at }) => {
    await at.createDeployment();
    await at.complete();
    await at.annotate({ note: 'passed on', 'kubectl.kubernetes.io/last-applied-configuration': '{}' });
    await eventually(async () =>
      expect((await at.replicaSets())[0]!.metadata.annotations).toMatchObject({ note: 'passed on' }),
    );
    const [owned, ...others] = await at.replicaSets();
    expect(others).toEqual([]);
    expect(owned!.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration');
    expect((await at.deployment()).metadata.annotations?.[REVISION]).toBe('1');
  });

  test('are left alone while they are being deleted, but for their status', async ({ at }) => {
    await at.createDeployment({}, { finalizers: ['test.example/hold'] });
    await at.complete();
    const sets = await at.replicaSets();
    await at.client
      .resource(resources.deployments)
      .delete({ namespace: at.namespace, name: 'web' }, { propagationPolicy: 'Background' });
    const { metadata } = await at.update({ template: template('app:v2'), replicas: 5 });
    await eventually(async () => expect((await at.deployment()).status?.observedGeneration).toBe(metadata.generation));
    expect((await at.replicaSets()).map((one) => [one.metadata.name, one.spec!.replicas])).toEqual([
      [sets[0]!.metadata.name, 3],
    ]);
    await at.merge(resources.deployments, { metadata: { finalizers: null } });
  });

  test('replace Pods that vanish, and say when too few are left', async ({ at }) => {
    await at.createDeployment({ replicas: 4 });
    await at.complete();
    for (const { metadata } of await at.activePods())
      await at.client.resource(resources.pods).delete(metadata, { gracePeriodSeconds: 0 });
    await eventually(async () => {
      const pods = await at.activePods();
      expect([pods.length, pods.every(isPodReady)]).toEqual([4, true]);
    });
    await at.complete();
    expect(await at.condition('Available')).toBe('True MinimumReplicasAvailable');
    expect(await at.condition('Progressing')).toBe('True NewReplicaSetAvailable');
  });
});
