import { describe, expect, it } from 'vitest';
import { isJsonObject, objectAt } from '../json.ts';
import { Registry } from '../registry/registry.ts';
import { servedResources } from '../schema/index.ts';
import { openApiV2, openApiV3Document, openApiV3Index } from './index.ts';

/** Every `$ref` in a document. */
function* referencesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* referencesIn(item);
  if (!isJsonObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string') yield child;
    else yield* referencesIn(child);
  }
}

const registry = new Registry();
const groupVersions = [
  ...new Set(
    servedResources().map(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)),
  ),
];

describe('OpenAPI', () => {
  it('lists a document for every group and version, which is there', () => {
    expect(Object.keys(objectAt(openApiV3Index(registry), 'paths')!).toSorted()).toEqual(groupVersions.toSorted());
    expect(openApiV3Document('apis/none/v1', registry)).toBeUndefined();
  });

  it.each(groupVersions)('%s refers only to what it defines', (path) => {
    const document = openApiV3Document(path, registry)!;
    const schemas = objectAt(objectAt(document, 'components'), 'schemas')!;
    const missing = [...new Set(referencesIn(document))].filter(
      (reference) => !(reference.replace('#/components/schemas/', '') in schemas),
    );
    expect(missing).toEqual([]);
  });

  it('tells how lists merge and which kind a schema is', () => {
    const document = openApiV3Document('apis/apps/v1', registry)!;
    const schemas = objectAt(objectAt(document, 'components'), 'schemas')!;
    expect(schemas['io.k8s.api.apps.v1.Deployment']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
    });
    expect(objectAt(objectAt(schemas, 'io.k8s.api.core.v1.PodSpec'), 'properties')?.['containers']).toMatchObject({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }] },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
  });

  it('says that writes validate fields, which is what kubectl asks for', () => {
    const item = objectAt(
      objectAt(openApiV3Document('apis/apps/v1', registry), 'paths'),
      '/apis/apps/v1/namespaces/{namespace}/deployments/{name}',
    );
    expect(item?.['patch']).toMatchObject({
      parameters: expect.arrayContaining([expect.objectContaining({ name: 'fieldValidation', in: 'query' })]),
      'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
    });
  });

  it('has a document of version 2 that refers only to what it defines', () => {
    const document = openApiV2(registry);
    const known = objectAt(document, 'definitions')!;
    expect(
      [...new Set(referencesIn(document))].filter((reference) => !(reference.replace('#/definitions/', '') in known)),
    ).toEqual([]);
  });
});
