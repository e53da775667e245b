import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#pkg/testing';
import { type ApiServer, createApiServer } from '../api-server.ts';
import { type JsonObject, listAt, objectAt, objectsAt } from '../json.ts';

let server: ApiServer;

beforeEach(() => {
  server = createApiServer({ clock: new FakeClock(), random: () => 0.5, freeze: true });
});
afterEach(() => server.close());

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const GADGETS = '/apis/shop.example.com/v1/namespaces/default/gadgets';

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly warnings: readonly string[];
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await server.handler({
    method,
    path,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    user: { name: 'admin', groups: ['system:masters'] },
  });
  if (!(response.body instanceof Uint8Array)) throw new Error('a stream');
  const { warning = [] } = response.headers;
  return {
    status: response.status,
    body: parse(Buffer.from(response.body).toString('utf8')),
    warnings: [warning].flat(),
  };
}

/** Of a path that is not there, the answer is no JSON. */
function parse(text: string): JsonObject {
  return text.startsWith('{') ? (JSON.parse(text) as JsonObject) : { text };
}

async function must(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<JsonObject> {
  const answer = await ask(method, path, body, headers);
  if (answer.status >= 400) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

function definition(schema: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gadgets.shop.example.com' },
    spec: {
      group: 'shop.example.com',
      scope: 'Namespaced',
      names: { plural: 'gadgets', kind: 'Gadget', shortNames: ['gd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
          ...more,
        },
      ],
    },
  };
}

function gadget(name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'shop.example.com/v1', kind: 'Gadget', metadata: { name, ...metadata }, spec };
}

const PLAIN: JsonObject = {
  type: 'object',
  properties: { size: { type: 'string' }, replicas: { type: 'integer', default: 1 } },
};

function conditions(object: JsonObject): string[] {
  return objectsAt(objectAt(object, 'status'), 'conditions').map(
    (one) => `${String(one['type'])}=${String(one['status'])} ${String(one['reason'])}`,
  );
}

describe('a definition', () => {
  it('is served at once, and says so', async () => {
    const made = await must('POST', DEFINITIONS, definition(PLAIN));
    expect(made['status']).toEqual({
      conditions: null,
      acceptedNames: { plural: '', kind: '' },
      storedVersions: ['v1'],
    });
    const now = await must('GET', `${DEFINITIONS}/gadgets.shop.example.com`);
    expect(conditions(now)).toEqual(['NamesAccepted=True NoConflicts', 'Established=True InitialNamesAccepted']);
    expect(objectAt(objectAt(now, 'status'), 'acceptedNames')).toEqual({
      plural: 'gadgets',
      singular: 'gadget',
      shortNames: ['gd'],
      kind: 'Gadget',
      listKind: 'GadgetList',
    });
    const list = await must('GET', '/apis/shop.example.com/v1');
    expect(objectsAt(list, 'resources').map((one) => one['name'])).toEqual(['gadgets']);
  });

  it('waits for names that others hold', async () => {
    await must('POST', DEFINITIONS, definition(PLAIN));
    const second = definition(PLAIN);
    second['metadata'] = { name: 'widgets.shop.example.com' };
    (second['spec'] as JsonObject)['names'] = { plural: 'widgets', kind: 'Gadget', shortNames: ['gd'] };
    await must('POST', DEFINITIONS, second);
    const path = `${DEFINITIONS}/widgets.shop.example.com`;
    expect(conditions(await must('GET', path))).toEqual([
      'NamesAccepted=False ListKindConflict',
      'Established=False NotAccepted',
    ]);
    expect((await ask('GET', '/apis/shop.example.com/v1/namespaces/default/widgets')).status).toBe(404);
    await must('DELETE', `${DEFINITIONS}/gadgets.shop.example.com`);
    expect(conditions(await must('GET', path))).toEqual([
      'NamesAccepted=True NoConflicts',
      'Established=True InitialNamesAccepted',
    ]);
    expect((await ask('GET', '/apis/shop.example.com/v1/namespaces/default/widgets')).status).toBe(200);
  });

  it('takes its objects with it, and waits for those that are held', async () => {
    await must('POST', DEFINITIONS, definition(PLAIN));
    await must('POST', GADGETS, gadget('free', {}));
    await must('POST', GADGETS, gadget('held', {}, { finalizers: ['example.com/hold'] }));
    await must('DELETE', `${DEFINITIONS}/gadgets.shop.example.com`);
    const waiting = await must('GET', `${DEFINITIONS}/gadgets.shop.example.com`);
    expect(conditions(waiting)).toContain('Terminating=True InstanceDeletionInProgress');
    expect(listAt(waiting['metadata'], 'finalizers')).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    expect(objectsAt(await must('GET', GADGETS), 'items').map((one) => objectAt(one, 'metadata')?.['name'])).toEqual([
      'held',
    ]);
    const refused = await ask('POST', GADGETS, gadget('late', {}));
    expect(refused.body['message']).toBe(
      'gadgets.shop.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
    );
    await must(
      'PATCH',
      `${GADGETS}/held`,
      { metadata: { finalizers: null } },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect((await ask('GET', `${DEFINITIONS}/gadgets.shop.example.com`)).status).toBe(404);
    expect((await ask('GET', GADGETS)).status).toBe(404);
  });
});

describe('discovery', () => {
  it('has groups by name and the newest stable version first, whoever came first', async () => {
    const define = (plural: string, group: string, versions: readonly string[]): JsonObject => ({
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Cluster',
        names: { plural, kind: plural },
        versions: versions.map((name, index) => ({
          name,
          served: true,
          storage: index === 0,
          schema: { openAPIV3Schema: { type: 'object' } },
        })),
      },
    });
    await must('POST', DEFINITIONS, define('zebras', 'b.example.com', ['v1']));
    await must('POST', DEFINITIONS, define('yaks', 'a.example.com', ['v1beta1', 'v1']));
    await must('POST', DEFINITIONS, define('ants', 'a.example.com', ['v2alpha1', 'v2']));
    const groups = objectsAt(await must('GET', '/apis'), 'groups').slice(-2);
    expect(
      groups.map((group) => [
        group['name'],
        objectAt(group, 'preferredVersion')?.['version'],
        objectsAt(group, 'versions').map((one) => one['version']),
      ]),
    ).toEqual([
      ['a.example.com', 'v2', ['v2', 'v1', 'v1beta1', 'v2alpha1']],
      ['b.example.com', 'v1', ['v1']],
    ]);
  });
});

describe('watches', () => {
  /** All that a watch tells until it ends. */
  async function eventsUntilEnd(during: () => Promise<unknown>): Promise<unknown[]> {
    const response = await server.handler({
      method: 'GET',
      path: `${GADGETS}?watch=true`,
      headers: {},
      user: { name: 'admin', groups: ['system:masters'] },
    });
    await during();
    let text = '';
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString('utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as JsonObject)['type']);
  }

  it('end with their definition', async () => {
    await must('POST', DEFINITIONS, definition(PLAIN));
    const events = eventsUntilEnd(async () => {
      await must('POST', GADGETS, gadget('one', {}));
      await must('DELETE', `${DEFINITIONS}/gadgets.shop.example.com`);
    });
    expect(await events).toEqual(['ADDED', 'DELETED']);
  });

  it('end when what is defined changes, and only then', async () => {
    await must('POST', DEFINITIONS, definition(PLAIN));
    const path = `${DEFINITIONS}/gadgets.shop.example.com`;
    const merge = { 'content-type': 'application/merge-patch+json' };
    const events = eventsUntilEnd(async () => {
      await must('PATCH', path, { metadata: { labels: { a: 'b' } } }, merge);
      await must('POST', GADGETS, gadget('one', {}));
      await must('PATCH', path, { spec: { names: { shortNames: ['gg'] } } }, merge);
      await must('POST', GADGETS, gadget('two', {}));
    });
    expect(await events).toEqual(['ADDED']);
  });
});

describe('objects', () => {
  it('lose what the definition does not know, with a warning', async () => {
    await must('POST', DEFINITIONS, definition(PLAIN));
    const made = await ask('POST', GADGETS, gadget('one', { size: 'l', other: { deep: 1 } }));
    expect(made.body['spec']).toEqual({ size: 'l', replicas: 1 });
    expect(made.warnings).toEqual(['299 - "unknown field \\"spec.other\\""']);
    const strict = await ask('POST', `${GADGETS}?fieldValidation=Strict`, gadget('two', { other: 1 }));
    expect(strict.body['message']).toBe(
      'Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: unknown field "spec.other"',
    );
  });

  it('can be had as metadata alone', async () => {
    await must('POST', DEFINITIONS, definition(PLAIN));
    await must('POST', GADGETS, gadget('one', {}));
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const list = await must('GET', GADGETS, undefined, { accept });
    expect(list['kind']).toBe('PartialObjectMetadataList');
    expect(objectsAt(list, 'items').map((one) => Object.keys(one))).toEqual([['kind', 'apiVersion', 'metadata']]);
  });
});
