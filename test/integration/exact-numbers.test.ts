import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type KubeObject, type PodTemplateSpec, type ResourceType, resources } from '#pkg/api';
import { exactInteger } from '#pkg/base';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { daemonSets, deployments, jobs, nodes, pods, replicaSets, replicationControllers, statefulSets } = resources;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    controllers: [
      'deployment-controller',
      'replicaset-controller',
      'replicationcontroller-controller',
      'daemonset-controller',
      'statefulset-controller',
      'job-controller',
    ],
  });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

const LARGEST = 2n ** 63n - 1n;
const boundary = fc.constantFrom(
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  3546343826724305833n,
  LARGEST - 1n,
  LARGEST,
);
const anyInteger = fc.oneof(
  boundary,
  boundary.map((value) => -value),
  fc.constant(-(2n ** 63n)),
);
const quantity = fc.constantFrom('100m', '0.1', '1e3', '9007199254740993', '123456789012345678n', '1Ei', '3Gi');

/** Templates whose integers have 64 bits, and whose quantities have many digits. */
const templates = fc
  .record({ grace: boundary, seconds: anyInteger, user: fc.integer({ min: 0, max: 2 ** 31 - 1 }), memory: quantity })
  .map(({ grace, seconds, user, memory }): PodTemplateSpec => ({
    metadata: { labels: { app: 'exact' } },
    spec: {
      containers: [{ name: 'c', image: 'app:v1', resources: { requests: { memory } } }],
      terminationGracePeriodSeconds: exactInteger(grace),
      tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: exactInteger(seconds) }],
      securityContext: { runAsUser: user },
    },
  }));

const SAMPLES = fc.sample(templates, { numRuns: 4, seed: 7 });

/** The fields that no default and no admission plugin touches, as they were sent. */
function fieldsOf(spec: PodTemplateSpec['spec']): string {
  const { containers, terminationGracePeriodSeconds, tolerations, securityContext } = spec!;
  const own = tolerations!.filter(({ key }) => key === 'k');
  return JSON.stringify([containers[0]!.resources, terminationGracePeriodSeconds, own, securityContext]);
}

type Owner = KubeObject & { readonly spec?: { readonly template?: PodTemplateSpec } };

async function childrenEqualTheirTemplate(at: Workspace, type: ResourceType, spec: object): Promise<void> {
  const owner = (await at.create(type, { metadata: { name: 'exact' }, spec } as never)) as Owner;
  const wanted = fieldsOf(owner.spec!.template!.spec);
  await eventually(async () => expect(await at.list(pods)).not.toEqual([]));
  for (const pod of await at.list(pods)) expect(fieldsOf(pod.spec)).toBe(wanted);
  const stored = (await at.get(type, 'exact')) as Owner;
  expect(fieldsOf(stored.spec!.template!.spec)).toBe(wanted);
  if (type.kind !== 'Deployment') return;
  const [only, ...others] = await at.list(replicaSets);
  expect(others).toEqual([]);
  expect(fieldsOf(only!.spec!.template!.spec)).toBe(wanted);
}

const selector = { matchLabels: { app: 'exact' } };

describe.concurrent(`Numbers of 64 bits on the ${controlPlaneKind()}`, { timeout: 60_000 }, () => {
  test.for(SAMPLES.map((sample, i) => [i, sample] as const))('a Deployment’s, %i', ([, sample], { at }) =>
    childrenEqualTheirTemplate(at, deployments, { replicas: 1, selector, template: sample }),
  );
  test.for(SAMPLES.map((sample, i) => [i, sample] as const))('a StatefulSet’s, %i', ([, sample], { at }) =>
    childrenEqualTheirTemplate(at, statefulSets, { replicas: 1, serviceName: 's', selector, template: sample }),
  );
  test('a DaemonSet’s', async ({ at }) => {
    await at.client.resource(nodes).create({ metadata: { name: at.namespace } });
    // A new node is tainted until its kubelet says that it is ready.
    const { metadata, spec } = SAMPLES[0]!;
    const everywhere = { metadata, spec: { ...spec!, tolerations: [...spec!.tolerations!, { operator: 'Exists' }] } };
    await childrenEqualTheirTemplate(at, daemonSets, { selector, template: everywhere });
    await at.client.resource(nodes).delete({ name: at.namespace });
  });
  test('a ReplicationController’s', ({ at }) =>
    childrenEqualTheirTemplate(at, replicationControllers, {
      replicas: 1,
      selector: selector.matchLabels,
      template: SAMPLES[1],
    }));
  test('a Job’s', ({ at }) => {
    const { metadata, spec } = SAMPLES[2]!;
    return childrenEqualTheirTemplate(at, jobs, { template: { metadata, spec: { ...spec, restartPolicy: 'Never' } } });
  });

  test('a revision in an annotation is followed by the next', async ({ at }) => {
    const spec = { replicas: 1, selector, template: template('app:v1', undefined, { app: 'exact' }) };
    await at.create(replicaSets, {
      metadata: {
        name: 'adopted',
        labels: { app: 'exact' },
        annotations: { 'deployment.kubernetes.io/revision': '3546343826724305832' },
      },
      spec,
    });
    const other = { ...spec, template: template('app:v2', undefined, { app: 'exact' }) };
    await at.create(deployments, { metadata: { name: 'exact' }, spec: other });
    await eventually(async () =>
      expect((await at.get(deployments, 'exact')).metadata.annotations).toMatchObject({
        'deployment.kubernetes.io/revision': '3546343826724305833',
      }),
    );
  });
});
