import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import {
  type KubeObject,
  type NewObject,
  type Pod,
  type PodDisruptionBudget,
  type ResourceType,
  isApiError,
  isPodReady,
  resources,
} from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { NEVER_READY, type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { podDisruptionBudgets, pods } = resources;
const customResourceDefinitions: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['disruption-controller', 'deployment-controller', 'replicaset-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

type Status = NonNullable<PodDisruptionBudget['status']>;

function createBudget(at: Workspace, spec: PodDisruptionBudget['spec']): Promise<PodDisruptionBudget> {
  return at.create(podDisruptionBudgets, {
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  });
}

/** The status in full, once it is as asked for. */
function counted(at: Workspace, status: Partial<Status>): Promise<Status> {
  return eventually(async () => {
    const found = (await at.get(podDisruptionBudgets)).status!;
    expect(found).toMatchObject(status);
    return found;
  });
}

/** `evicted`, or why not. */
async function evict(at: Workspace, { metadata: { name } }: Pod): Promise<string> {
  const { namespace, client } = at;
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  try {
    await client.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, body });
    return 'evicted';
  } catch (error) {
    if (!isApiError(error)) throw error;
    return error.data.body.details?.causes?.[0]?.message ?? error.message;
  }
}

const healthy = async (at: Workspace): Promise<Pod[]> => (await at.activePods()).filter(isPodReady);

function owned(owner: KubeObject, name: string, apiVersion: string, kind: string): NewObject<Pod> {
  const { metadata, spec } = template('app:v1');
  const ownerReferences = [{ apiVersion, kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true }];
  return { metadata: { name, labels: metadata!.labels!, ownerReferences }, spec: spec! };
}

describe.concurrent(`PodDisruptionBudgets on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('let evictions through as they can, and recover', async ({ at }) => {
    await createBudget(at, { maxUnavailable: 1 });
    await eventually(async () =>
      expect(await at.events('PodDisruptionBudget')).toEqual(['Normal NoPods No matching pods found']),
    );
    await counted(at, {
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      disruptionsAllowed: 0,
      observedGeneration: 1,
    });
    await at.createDeployment();
    const { conditions } = await counted(at, {
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      disruptionsAllowed: 1,
    });
    expect(conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '', observedGeneration: 1 },
    ]);
    const [a, b] = await healthy(at);
    expect(await evict(at, a!)).toBe('evicted');
    // Whether the manager has seen the first or not.
    expect(await evict(at, b!)).toMatch(
      /^The disruption budget web (needs 2 healthy pods and has 2|does not allow evicting pods) currently/,
    );
    await counted(at, { currentHealthy: 3, disruptionsAllowed: 1 });
    expect(await evict(at, b!)).toBe('evicted');
  });

  test('are never overdrawn, however many evict at a time', async ({ at }) => {
    await at.createDeployment({ replicas: 6 });
    await createBudget(at, { minAvailable: 4 });
    await counted(at, { disruptionsAllowed: 2 });
    let evicted = 0;
    while (evicted < 10) {
      const outcomes = await Promise.all((await healthy(at)).map((pod) => evict(at, pod)));
      evicted += outcomes.filter((outcome) => outcome === 'evicted').length;
      expect((await healthy(at)).length).toBeGreaterThanOrEqual(4);
    }
    const status = await counted(at, { currentHealthy: 6, desiredHealthy: 4, expectedPods: 6, disruptionsAllowed: 2 });
    expect(status.disruptedPods).toBeUndefined();
  });

  test('count shares of what is wanted, and follow its scale and their own spec', async ({ at }) => {
    await at.createDeployment({ replicas: 4 });
    await createBudget(at, { minAvailable: '50%' });
    await counted(at, { currentHealthy: 4, desiredHealthy: 2, expectedPods: 4, disruptionsAllowed: 2 });
    await at.update({ replicas: 5 });
    await counted(at, { currentHealthy: 5, desiredHealthy: 3, expectedPods: 5, disruptionsAllowed: 2 });
    await at.merge(podDisruptionBudgets, { spec: { minAvailable: '100%' } });
    await counted(at, { desiredHealthy: 5, disruptionsAllowed: 0, observedGeneration: 2 });
  });

  test('let go of what is not ready as their policy says', async ({ at }) => {
    await at.createDeployment({ replicas: 2, template: template('app:v1', NEVER_READY) });
    await createBudget(at, { minAvailable: 1 });
    await eventually(async () =>
      expect((await at.list(pods)).filter(({ status }) => status?.phase === 'Running')).toHaveLength(2),
    );
    await counted(at, { currentHealthy: 0, desiredHealthy: 1, expectedPods: 2 });
    const [a] = await at.activePods();
    expect(await evict(at, a!)).toBe('The disruption budget web needs 1 healthy pods and has 0 currently');
    await at.merge(podDisruptionBudgets, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } });
    expect(await evict(at, a!)).toBe('evicted');
  });

  test('ask custom controllers for their scale, and say what they can not tell', async ({ at }) => {
    const group = `${at.namespace}.example.com`;
    const scalable = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const names = { plural: 'flocks', singular: 'flock', kind: 'Flock', listKind: 'FlockList' };
    const versions = [{ name: 'v1', served: true, storage: true, schema, subresources: { scale: scalable } }];
    const definition = { metadata: { name: `flocks.${group}` }, spec: { group, scope: 'Namespaced', names, versions } };
    await at.client.resource(customResourceDefinitions).create(definition);
    const flocks: ResourceType = { group, version: 'v1', resource: 'flocks', kind: 'Flock', namespaced: true };
    const flock = await eventually(() =>
      at.create(flocks, {
        apiVersion: `${group}/v1`,
        kind: 'Flock',
        metadata: { name: 'birds' },
        spec: { replicas: 4 },
      } as NewObject<KubeObject>),
    );
    for (const name of ['a', 'b']) await at.create(pods, owned(flock, name, `${group}/v1`, 'Flock'));
    await createBudget(at, { maxUnavailable: 3 });
    await counted(at, { currentHealthy: 2, desiredHealthy: 1, expectedPods: 4, disruptionsAllowed: 1 });

    await at.create(
      pods,
      owned({ metadata: { ...flock.metadata, name: 'nobody', uid: 'none' } }, 'c', `${group}/v1`, 'Sheep'),
    );
    const message = `no matches for kind "Sheep" in version "${group}/v1"`;
    await eventually(async () =>
      expect((await at.get(podDisruptionBudgets)).status).toMatchObject({
        disruptionsAllowed: 0,
        conditions: [{ status: 'False', reason: 'SyncFailed', message }],
      }),
    );
    await eventually(async () =>
      expect(await at.events('PodDisruptionBudget')).toContain(
        `Warning CalculateExpectedPodCountFailed Failed to calculate the number of expected pods: ${message}`,
      ),
    );
    await at.client.resource(customResourceDefinitions).delete({ name: definition.metadata.name });
  });

  test('leave out what nobody manages, and of several budgets of a Pod it is told', async ({ at }) => {
    const { metadata, spec } = template('app:v1');
    await at.create(pods, { metadata: { name: 'lonely', labels: metadata!.labels! }, spec: spec! });
    await createBudget(at, { maxUnavailable: 1 });
    await counted(at, { currentHealthy: 1, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 });
    await eventually(async () => {
      const [told] = (await at.events('PodDisruptionBudget')).filter((line) => line.includes('UnmanagedPods'));
      expect(told).toContain(
        '(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},})',
      );
    });
    await at.create(podDisruptionBudgets, { metadata: { name: 'second' }, spec: { selector: {}, minAvailable: 0 } });
    await eventually(async () =>
      expect((await at.get(podDisruptionBudgets, 'second')).status).toMatchObject({
        expectedPods: 1,
        disruptionsAllowed: 1,
      }),
    );
    const [lonely] = await at.list(pods);
    expect(await evict(at, lonely!)).toBe(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
    await at.client
      .resource(pods)
      .patch(
        lonely!.metadata,
        'strategic',
        { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
        { subresource: 'status' },
      );
    await eventually(async () => {
      const told = (await at.events('Pod')).filter((line) => line.includes('MultiplePodDisruptionBudgets'));
      expect(told).toEqual([
        expect.stringContaining(
          `Warning MultiplePodDisruptionBudgets Pod "${at.namespace}"/"lonely" matches multiple PodDisruptionBudgets.  Chose `,
        ),
      ]);
    });
  });

  test('take back what was announced long ago and did not come', async ({ at }) => {
    const { spec } = template('app:v1');
    await at.create(pods, { metadata: { name: 'a' }, spec: spec! });
    await eventually(async () => expect((await healthy(at)).length).toBe(1));
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'm',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await at.client
      .resource(pods)
      .patch(
        { namespace: at.namespace, name: 'a' },
        'strategic',
        { status: { conditions: [condition] } },
        { subresource: 'status' },
      );
    await eventually(async () => {
      const found = (await at.get(pods, 'a')).status!.conditions!.find(({ type }) => type === 'DisruptionTarget');
      expect(found).toEqual({
        type: 'DisruptionTarget',
        status: 'False',
        observedGeneration: 1,
        lastProbeTime: null,
        lastTransitionTime: expect.any(String) as string,
      });
    });
  });
});
