import type { Scenario, Step } from '../scenarios.ts';
import { type Body, pathOf } from './bodies.ts';

const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

interface Apply {
  readonly by: string;
  readonly force?: boolean;
  readonly config: Body;
  readonly subresource?: string;
}

type Change = Apply | Omit<Step, 'path'>;

function scenario(
  name: string,
  apiVersion: string,
  kind: string,
  resource: string,
  changes: readonly Change[],
): Scenario {
  return {
    name: `apply ${name}`,
    steps: (namespace) => {
      const collection = pathOf(apiVersion, resource, namespace);
      return changes.map((change): Step => {
        if (!('by' in change))
          return { agent: 'editor/1', ...change, path: change.verb === 'POST' ? collection : `${collection}/x` };
        const { config, by, force, subresource } = change;
        const body = {
          apiVersion,
          kind,
          ...config,
          metadata: { name: 'x', ...(config['metadata'] as Body | undefined) },
        };
        const path = `${collection}/x${subresource === undefined ? '' : `/${subresource}`}?fieldManager=${by}${force ? '&force=true' : ''}`;
        return { verb: 'PATCH', type: APPLY, path, body };
      });
    },
  };
}

const spec = (rest: Body = {}, containers: Body[] = [{ name: 'c', image: 'a' }], pod: Body = {}): Body => ({
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers, ...pod } },
    ...rest,
  },
});
const lastApplied = (config: Body): Body => ({
  'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(config),
});
const byKubectl: Body = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'x', annotations: {} },
  ...spec({ replicas: 2 }),
};

export const applies: readonly Scenario[] = [
  scenario('deployment', 'apps/v1', 'Deployment', 'deployments', [
    { by: 'one', config: spec({ replicas: 2 }) },
    { by: 'one', config: spec({ replicas: 2 }) },
    { by: 'two', config: { spec: { replicas: 3 } } },
    { by: 'two', config: { spec: { replicas: 2 } } },
    { by: 'one', config: spec() },
    {
      by: 'two',
      force: true,
      config: {
        spec: {
          replicas: 5,
          template: {
            spec: {
              containers: [
                { name: 'c', image: 'b' },
                { name: 'd', image: 'e', ports: [{ containerPort: 80 }] },
              ],
            },
          },
        },
      },
    },
    { by: 'one', config: spec({}, [{ name: 'c', image: 'z' }]) },
    { by: 'two', config: { spec: { replicas: 5 } } },
    { by: 'two', config: {} },
    { verb: 'PATCH', type: MERGE, body: { spec: { replicas: 7, minReadySeconds: 3 } } },
    { by: 'one', config: spec({ replicas: 1, minReadySeconds: 4 }) },
    {
      by: 'one',
      force: true,
      config: spec({ replicas: 1 }, [{ name: 'c', image: 'a', env: [{ name: 'A', value: '' }] }], {
        nodeSelector: { x: 'y' },
        tolerations: [{ key: 'k' }],
      }),
    },
    { by: 'one', config: spec({ replicas: 1 }, [{ name: 'c', image: 'a' }]) },
    { by: 'three', config: { metadata: { labels: { a: 'b' }, finalizers: ['a.b/c'], annotations: {} } } },
    { by: 'four', config: { metadata: { labels: { c: 'd' }, finalizers: ['d.e/f', 'a.b/c'] } } },
    { by: 'three', config: { metadata: { labels: { c: 'd' } } } },
    { by: 'four', config: {} },
  ]),
  scenario('service', 'v1', 'Service', 'services', [
    {
      by: 'one',
      config: {
        spec: {
          clusterIP: 'None',
          ports: [
            { port: 80, name: 'a' },
            { port: 53, name: 'b', protocol: 'UDP' },
          ],
          selector: { a: 'b' },
        },
      },
    },
    { by: 'two', config: { spec: { ports: [{ port: 80, targetPort: 8080 }] } } },
    { by: 'two', force: true, config: { spec: { ports: [{ port: 80, targetPort: 8080 }] } } },
    {
      by: 'one',
      config: { spec: { clusterIP: 'None', ports: [{ port: 53, name: 'b', protocol: 'UDP' }], selector: { c: 'd' } } },
    },
  ]),
  scenario('configmap', 'v1', 'ConfigMap', 'configmaps', [
    { verb: 'POST', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '1', b: '2' } } },
    { by: 'one', config: { data: { a: '1', c: '3' } } },
    { by: 'one', config: { data: { a: '5' } } },
    { by: 'one', config: { data: {} } },
    { by: 'one', config: { data: { a: '5' }, immutable: false }, force: true },
    { verb: 'PATCH', type: MERGE, body: { data: { a: null } } },
    { by: 'one', config: { data: { a: '5' }, immutable: false } },
  ]),
  scenario('status', 'apps/v1', 'Deployment', 'deployments', [
    { by: 'one', config: { ...spec(), status: { replicas: 4 } } },
    {
      by: 'controller',
      subresource: 'status',
      config: {
        status: {
          replicas: 1,
          conditions: [
            {
              type: 'A',
              status: 'True',
              reason: 'r',
              message: 'm',
              lastUpdateTime: '2026-01-01T00:00:00Z',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
        },
      },
    },
    { by: 'other', subresource: 'status', config: { status: { replicas: 2 } } },
    { by: 'controller', subresource: 'status', config: { status: { replicas: 1 } } },
  ]),
  scenario('kubectl migration', 'apps/v1', 'Deployment', 'deployments', [
    {
      verb: 'POST',
      agent: 'kubectl-client-side-apply/1',
      body: { ...byKubectl, metadata: { name: 'x', annotations: lastApplied(byKubectl) } },
    },
    { by: 'kubectl', config: { ...spec({ replicas: 3 }) } },
    { verb: 'PATCH', type: MERGE, body: { spec: { replicas: 9 } } },
    { by: 'kubectl', config: { ...spec({ replicas: 4 }) } },
  ]),
  scenario('refusals', 'apps/v1', 'Deployment', 'deployments', [
    { by: 'one', config: { spec: { replicas: '3' } } },
    { by: 'one', config: { spec: { foo: 1 } } },
    { by: 'one', config: { spec: { foo: 1, replicas: 'x', template: { spec: { containers: [{ image: 'x' }] } } } } },
    {
      by: 'one',
      config: spec({}, [
        { name: 'a', image: 'b' },
        { name: 'a', image: 'c' },
      ]),
    },
    { by: 'one', config: { metadata: { managedFields: [] }, ...spec() } },
    { by: 'one', config: spec({ template: 'x' }) },
    { by: 'one', config: spec({}, [{ name: 'a', image: 'b', ports: [{ name: 'x' }, { name: 'y' }] }]) },
    { by: 'one', config: spec({ strategy: [] }) },
  ]),
];
