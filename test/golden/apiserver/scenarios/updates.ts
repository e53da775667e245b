import type { Scenario, Step } from '../scenarios.ts';
import { type Body, deployment, pathOf, pod, podSpec, service, template } from './bodies.ts';

const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

/** The plain ways to write an object, by different managers. */
function scenario(
  name: string,
  apiVersion: string,
  resource: string,
  body: Body,
  changes: readonly Omit<Step, 'path'>[],
): Scenario {
  const { name: object } = body['metadata'] as { name: string };
  return {
    name: `update ${name}`,
    steps: (namespace) => {
      const collection = pathOf(apiVersion, resource, namespace);
      return [
        { verb: 'POST', path: collection, body, agent: 'creator/1' },
        ...changes.map((change): Step => ({ agent: 'editor/1', ...change, path: `${collection}/${object}` })),
      ];
    },
  };
}

const under =
  (steps: readonly Omit<Step, 'path'>[], subresource: string): Scenario['steps'] =>
  (namespace) => {
    const collection = pathOf('apps/v1', 'deployments', namespace);
    return [
      { verb: 'POST', path: collection, body: deployment('d'), agent: 'creator/1' },
      ...steps.map((step): Step => ({ ...step, path: `${collection}/d/${subresource}` })),
    ];
  };

export const updates: readonly Scenario[] = [
  scenario(
    'deployment',
    'apps/v1',
    'deployments',
    deployment('d', {
      template: template({
        containers: [
          {
            name: 'c',
            image: 'a',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
          },
        ],
      }),
    }),
    [
      { verb: 'PATCH', type: MERGE, body: { spec: { replicas: 3 } } },
      {
        verb: 'PATCH',
        type: STRATEGIC,
        body: { spec: { template: { spec: { containers: [{ name: 'c', image: 'b' }] } } } },
      },
      {
        verb: 'PATCH',
        type: STRATEGIC,
        body: {
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    name: 'c',
                    env: [
                      { name: 'A', $patch: 'delete' },
                      { name: 'C', value: '3' },
                    ],
                  },
                ],
              },
            },
          },
        },
        agent: 'other/2',
      },
      {
        verb: 'PATCH',
        type: STRATEGIC,
        body: {
          spec: {
            template: { spec: { containers: [{ name: 'sidecar', image: 's', ports: [{ containerPort: 80 }] }] } },
          },
        },
        agent: 'other/2',
      },
      {
        verb: 'PATCH',
        type: JSON_PATCH,
        body: [
          { op: 'add', path: '/metadata/labels', value: { x: 'y' } },
          { op: 'add', path: '/metadata/annotations', value: { 'a.b/c': 'd' } },
        ],
      },
      { verb: 'PATCH', type: MERGE, body: { metadata: { labels: { x: null } } } },
      {
        verb: 'PATCH',
        type: MERGE,
        body: { spec: { paused: true, strategy: { type: 'Recreate', rollingUpdate: null } } },
        agent: 'creator/1',
      },
      { verb: 'PATCH', type: MERGE, body: { spec: { paused: false } } },
      { verb: 'PATCH', type: MERGE, body: { metadata: { finalizers: ['a.b/c', 'd.e/f'] } } },
      { verb: 'PATCH', type: MERGE, body: { metadata: { finalizers: ['d.e/f'] } }, agent: 'other/2' },
      {
        verb: 'PATCH',
        type: MERGE,
        body: { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u-1' }] } },
      },
      {
        verb: 'PATCH',
        type: MERGE,
        body: {
          spec: { template: { spec: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'x', operator: 'Exists' }] } } },
        },
      },
      { verb: 'PATCH', type: MERGE, body: { metadata: { managedFields: [{}] } } },
      { verb: 'PATCH', type: MERGE, body: { spec: { replicas: 4 } } },
    ],
  ),
  scenario('service', 'v1', 'services', service('s', { clusterIP: 'None', ports: [{ port: 80, name: 'a' }] }), [
    { verb: 'PATCH', type: STRATEGIC, body: { spec: { ports: [{ port: 443, name: 'b' }] } } },
    { verb: 'PATCH', type: STRATEGIC, body: { spec: { ports: [{ port: 80, $patch: 'delete' }] } } },
    { verb: 'PATCH', type: MERGE, body: { spec: { selector: { a: 'b' } } } },
  ]),
  scenario(
    'configmap',
    'v1',
    'configmaps',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: '1' } },
    [
      { verb: 'PATCH', type: MERGE, body: { data: { b: '2' } } },
      {
        verb: 'PUT',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { b: '2' } },
        agent: 'third/1',
      },
      { verb: 'PUT', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }, agent: 'third/1' },
      ...Array.from({ length: 13 }, (_, index): Omit<Step, 'path'> => ({
        verb: 'PATCH',
        type: MERGE,
        body: { data: { [`k${index}`]: 'x' } },
        agent: `agent-${String.fromCodePoint(97 + index)}/1`,
      })),
    ],
  ),
  scenario('pod', 'v1', 'pods', pod('p', podSpec), [
    { verb: 'PATCH', type: STRATEGIC, body: { spec: { containers: [{ name: 'c', image: 'other' }] } } },
    { verb: 'PATCH', type: MERGE, body: { metadata: { labels: { a: 'b' } } } },
  ]),
  {
    name: 'update status',
    steps: under(
      [
        {
          verb: 'PATCH',
          type: MERGE,
          body: {
            status: {
              replicas: 1,
              conditions: [
                {
                  type: 'Available',
                  status: 'True',
                  reason: 'r',
                  message: 'm',
                  lastUpdateTime: '2026-01-01T00:00:00Z',
                  lastTransitionTime: '2026-01-01T00:00:00Z',
                },
              ],
            },
            spec: { replicas: 9 },
            metadata: { labels: { no: 'no' }, annotations: { yes: 'yes' } },
          },
          agent: 'controller/1',
        },
        {
          verb: 'PATCH',
          type: STRATEGIC,
          body: {
            status: {
              conditions: [
                {
                  type: 'Progressing',
                  status: 'True',
                  reason: 'r',
                  message: 'm',
                  lastUpdateTime: '2026-01-01T00:00:00Z',
                  lastTransitionTime: '2026-01-01T00:00:00Z',
                },
              ],
            },
          },
          agent: 'controller/1',
        },
      ],
      'status',
    ),
  },
];
