import { describe, expect, test } from 'vitest';

import { ApiError, apiVersionOf } from '#pkg/api';
import { createApiServer } from '#pkg/apiserver';

import { createClient } from './create-client.ts';
import type { Client, RawRequest } from './client.ts';
import { type Discovery, discover } from './discovery.ts';

/** A server that answers with these documents, by path, and with a refusal where there is none. */
function serving(documents: Readonly<Record<string, unknown>>): Pick<Client, 'request'> & { readonly asked: string[] } {
  const asked: string[] = [];
  async function request<R>({ path }: RawRequest): Promise<R> {
    asked.push(path);
    if (!(path in documents)) throw new ApiError({ reason: 'ServiceUnavailable', code: 503, message: 'not now' });
    return documents[path] as R;
  }
  return { asked, request };
}

const told = ({ resources, failed }: Discovery): unknown => ({
  resources: resources.map(
    (one) =>
      `${apiVersionOf(one)} ${one.resource} ${one.kind}${one.namespaced ? '' : ' cluster'}${one.preferred ? ' preferred' : ''} ${one.verbs.join()}`,
  ),
  failed: [...failed.keys()],
});

const offered = (resource: string, kind: string, scope = 'Namespaced') => ({
  resource,
  responseKind: { group: '', version: '', kind },
  scope,
  verbs: ['get', 'list'],
});
const aggregated = (...items: object[]) => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  items,
});

describe('aggregated discovery', () => {
  test('takes two requests', async () => {
    const server = serving({
      '/api': aggregated({
        versions: [{ version: 'v1', resources: [offered('pods', 'Pod'), offered('nodes', 'Node', 'Cluster')] }],
      }),
      '/apis': aggregated({
        metadata: { name: 'apps' },
        versions: [
          { version: 'v1', resources: [offered('deployments', 'Deployment')] },
          { version: 'v1beta1', resources: [offered('deployments', 'Deployment'), offered('relics', 'Relic')] },
        ],
      }),
    });
    expect(told(await discover(server))).toEqual({
      resources: [
        'v1 pods Pod preferred get,list',
        'v1 nodes Node cluster preferred get,list',
        'apps/v1 deployments Deployment preferred get,list',
        'apps/v1beta1 deployments Deployment get,list',
        'apps/v1beta1 relics Relic preferred get,list',
      ],
      failed: [],
    });
    expect(server.asked).toEqual(['/api', '/apis']);
  });

  test('tells of stale versions that they failed', async () => {
    const server = serving({
      '/api': aggregated(),
      '/apis': aggregated({
        metadata: { name: 'example.com' },
        versions: [
          { version: 'v2', freshness: 'Stale', resources: [offered('things', 'Thing')] },
          {
            version: 'v1',
            freshness: 'Current',
            resources: [offered('things', 'Thing'), { resource: 'odd', scope: 'Namespaced' }],
          },
        ],
      }),
    });
    expect(told(await discover(server))).toEqual({
      resources: ['example.com/v1 things Thing preferred get,list'],
      failed: ['example.com/v2'],
    });
  });

  test('is what the embedded server gives', async () => {
    const server = createApiServer();
    const client = createClient({ transport: server.inProcessTransport(), userAgent: 'test', qps: -1 });
    const { resources, failed } = await discover(client);
    expect(failed.size).toBe(0);
    expect(resources.find(({ resource }) => resource === 'deployments')).toMatchObject({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespaced: true,
      preferred: true,
    });
    expect(resources.filter(({ resource }) => resource.includes('/'))).toEqual([]);
    await server.close();
  });
});

describe('discovery of old', () => {
  const groups = (...versions: string[]) => ({
    kind: 'APIGroupList',
    groups: [{ name: 'apps', versions: versions.map((version) => ({ version })), preferredVersion: { version: 'v1' } }],
  });

  test('asks for each group version', async () => {
    const server = serving({
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/api/v1': {
        resources: [
          { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] },
          { name: 'pods/status', kind: 'Pod', namespaced: true, verbs: ['get'] },
        ],
      },
      '/apis': groups('v1beta1', 'v1'),
      '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['list'] }] },
      '/apis/apps/v1beta1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }] },
    });
    expect(told(await discover(server))).toEqual({
      resources: [
        'v1 pods Pod preferred list',
        'apps/v1beta1 deployments Deployment ',
        'apps/v1 deployments Deployment preferred list',
      ],
      failed: [],
    });
  });

  test('does without the parts that fail', async () => {
    const server = serving({ '/api': { kind: 'APIVersions', versions: ['v1'] }, '/api/v1': {}, '/apis': groups('v1') });
    expect(told(await discover(server))).toEqual({ resources: [], failed: ['apps/v1'] });
  });

  test.each([
    {},
    { '/api': { kind: 'APIVersions', versions: [] } },
    { '/api': {}, '/apis': { kind: 'APIGroupList', groups: [] } },
  ])('rejects where the groups cannot be had: %j', async (documents) => {
    await expect(discover(serving(documents))).rejects.toBeInstanceOf(Error);
  });
});
