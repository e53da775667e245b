import type { ProtocolStep } from './steps.ts';

type Body = Readonly<Record<string, unknown>>;

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const NAME = 'gizmos.golden.example.com';
const at = (version: string): string => `/apis/golden.example.com/${version}/namespaces/default/gizmos`;
const GIZMOS = at('v1');
const BETAS = at('v2beta1');
const TYPES: Readonly<Record<string, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};
const as = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1`;

const post = (path: string, body: unknown): ProtocolStep => ({ verb: 'POST', path, body });
const put = (path: string, body: unknown): ProtocolStep => ({ verb: 'PUT', path, body });
const get = (path: string, accept?: string): ProtocolStep => ({
  verb: 'GET',
  path,
  ...(accept === undefined ? {} : { headers: { accept } }),
});
const remove = (path: string): ProtocolStep => ({ verb: 'DELETE', path });
const patch = (kind: string, path: string, body: unknown): ProtocolStep => ({
  verb: 'PATCH',
  path,
  body,
  headers: { 'content-type': TYPES[kind]! },
});
/** A real server follows up on definitions a little later than it answers. */
const later = (step: ProtocolStep, pause = 4000): ProtocolStep => ({ ...step, pause });

/* Definitions that are refused, or fine, of which none is kept. */

interface Change {
  readonly spec?: Body;
  readonly names?: Body;
  readonly version?: Body;
  readonly metadata?: Body;
}

function tryOut(
  schema: Body | undefined,
  { spec = {}, names = {}, version = {}, metadata = {} }: Change = {},
): ProtocolStep {
  const { group = 'a.example.com' } = spec as { readonly group?: string };
  return post(`${DEFINITIONS}?dryRun=All`, {
    metadata: { name: `foos.${group}`, ...metadata },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo', ...names },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          ...(schema === undefined ? {} : { schema: { openAPIV3Schema: schema } }),
          ...version,
        },
      ],
      ...spec,
    },
  });
}

const OBJECT = { type: 'object' };
const ofSpec = (spec: Body): Body => ({ type: 'object', properties: { spec } });
const approval = 'api-approved.kubernetes.io';
const second = (more: Body): Body => ({
  name: 'v2',
  served: true,
  storage: false,
  schema: { openAPIV3Schema: OBJECT },
  ...more,
});
const first = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: OBJECT } };

const definitions: readonly ProtocolStep[] = [
  tryOut(OBJECT),
  tryOut(OBJECT, { metadata: { name: 'bars.a.example.com' } }),
  tryOut(OBJECT, { spec: { group: 'example' } }),
  tryOut(OBJECT, { spec: { scope: 'World' } }),
  tryOut(OBJECT, { spec: { scope: '' } }),
  tryOut(undefined),
  tryOut(OBJECT, { spec: { versions: [first, second({ storage: true })] } }),
  tryOut(OBJECT, { spec: { versions: [first, second({ name: 'v1' })] } }),
  tryOut(OBJECT, { version: { name: 'V_1' } }),
  tryOut(OBJECT, { names: { kind: 'Foo_Bar', listKind: 'FooList' } }),
  tryOut(OBJECT, { names: { listKind: 'Foo' } }),
  tryOut(OBJECT, { names: { shortNames: ['F_'], categories: ['ALL'] } }),
  tryOut(OBJECT, { spec: { group: 'x.k8s.io' } }),
  tryOut(OBJECT, { spec: { group: 'x.k8s.io' }, metadata: { annotations: { [approval]: 'nope' } } }),
  tryOut(OBJECT, { spec: { group: 'x.k8s.io' }, metadata: { annotations: { [approval]: 'unapproved, for now' } } }),
  tryOut(OBJECT, { spec: { preserveUnknownFields: true } }),
  tryOut(OBJECT, { spec: { conversion: { strategy: 'Webhook' } } }),
  tryOut(OBJECT, { spec: { conversion: { strategy: 'Foo' } } }),
  tryOut(OBJECT, { spec: { conversion: { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } } } }),
  tryOut({ type: 'string' }),
  tryOut({ properties: { spec: OBJECT } }),
  tryOut({ type: 'object', nullable: true }),
  tryOut({ type: 'object', additionalProperties: { type: 'string' } }),
  tryOut({ type: 'object', properties: { metadata: { type: 'object', properties: { labels: OBJECT } } } }),
  tryOut({
    type: 'object',
    properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } } },
  }),
  tryOut({ type: 'object', properties: { kind: { type: 'string', default: 'x' } } }),
  tryOut(ofSpec({})),
  tryOut(ofSpec({ type: 'array' })),
  tryOut(ofSpec({ type: 'array', items: {} })),
  tryOut(ofSpec({ type: 'array', uniqueItems: true, items: { type: 'string' } })),
  tryOut(ofSpec({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } })),
  tryOut(
    ofSpec({
      type: 'object',
      properties: { a: { type: 'string' } },
      anyOf: [{ description: 'x' }, { properties: { a: { type: 'string' } } }],
    }),
  ),
  tryOut(ofSpec({ type: 'text' })),
  tryOut(ofSpec({ type: 'object', $ref: '#/x' })),
  tryOut(ofSpec({ type: 'string', format: 'weird' })),
  tryOut(ofSpec({ type: 'object', properties: { a: { type: 'integer', default: 'x' } } })),
  tryOut(ofSpec({ type: 'object', properties: { a: { type: 'object', default: { unknown: 1 } } } })),
  tryOut(ofSpec({ type: 'string', enum: ['x'], default: 'y' })),
  tryOut(ofSpec({ type: 'object', 'x-kubernetes-embedded-resource': true })),
  tryOut(
    ofSpec({ type: 'string', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }),
  ),
  tryOut(ofSpec({ 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true })),
  tryOut(ofSpec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] })),
  tryOut(ofSpec({ type: 'object', 'x-kubernetes-preserve-unknown-fields': false })),
  tryOut(
    ofSpec({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
      items: { type: 'object', properties: { a: { type: 'string' } } },
    }),
  ),
  tryOut(
    ofSpec({
      type: 'array',
      'x-kubernetes-list-map-keys': ['a'],
      items: { type: 'object', properties: { a: { type: 'string' } } },
    }),
  ),
  tryOut(ofSpec({ type: 'array', 'x-kubernetes-list-type': 'set', items: OBJECT })),
  tryOut(ofSpec({ type: 'array', 'x-kubernetes-list-type': 'bag', items: OBJECT })),
  tryOut(ofSpec({ type: 'string', 'x-kubernetes-list-type': 'set' })),
  tryOut(OBJECT, { version: { additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: '.a' }] } }),
  tryOut(OBJECT, { version: { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: 'a' }] } }),
  tryOut(OBJECT, {
    version: { subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: '.status.x' } } },
  }),
  tryOut(OBJECT, { version: { deprecationWarning: 'x' } }),
  tryOut(ofSpec({ type: 'object', properties: { a: OBJECT } }), {
    version: { selectableFields: [{ jsonPath: '.spec.a' }] },
  }),
  tryOut(ofSpec({ type: 'object', properties: { a: OBJECT } }), {
    version: { selectableFields: [{ jsonPath: '.spec.b' }] },
  }),
];

/* One that is kept, with three versions served and one that is not. */

const properties = {
  size: { type: 'string', enum: ['small', 'large'], description: 'How large.' },
  color: { type: 'string' },
  replicas: { type: 'integer', format: 'int32', default: 1, minimum: 0, maximum: 10 },
  name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5, minLength: 2 },
  when: { type: 'string', format: 'date-time' },
  port: { 'x-kubernetes-int-or-string': true },
  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 3 },
  parts: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string' },
        count: { type: 'integer', default: 2 },
        note: { type: 'string', nullable: true },
      },
    },
  },
  labels: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 2 },
  ratio: { type: 'number', multipleOf: 0.5 },
  choice: {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'string' } },
    oneOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
};
const status = {
  type: 'object',
  properties: { replicas: { type: 'integer' }, selector: { type: 'string' }, phase: { type: 'string' } },
};
const schemaWith = (more: Body = {}): Body => ({
  openAPIV3Schema: {
    type: 'object',
    required: ['spec'],
    properties: { spec: { type: 'object', required: ['size'], properties: { ...properties, ...more } }, status },
  },
});
const red = { color: { type: 'string', default: 'red' } };
const definition = {
  metadata: { name: NAME },
  spec: {
    group: 'golden.example.com',
    scope: 'Namespaced',
    names: { plural: 'gizmos', kind: 'Gizmo', shortNames: ['gz'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: schemaWith(),
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'string', jsonPath: '.spec.size' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        selectableFields: [{ jsonPath: '.spec.size' }],
      },
      {
        name: 'v2beta1',
        served: true,
        storage: false,
        deprecated: true,
        schema: schemaWith(red),
        subresources: { status: {} },
      },
      {
        name: 'v1alpha1',
        served: true,
        storage: false,
        deprecated: true,
        deprecationWarning: 'old!',
        schema: schemaWith(red),
      },
      { name: 'v3', served: false, storage: false, schema: schemaWith(red) },
    ],
  },
};

function gizmo(name: string, spec: unknown = { size: 'small' }, more: Body = {}, version = 'v1'): Body {
  return { apiVersion: `golden.example.com/${version}`, kind: 'Gizmo', metadata: { name }, spec, ...more };
}

const small = (more: Body): Body => gizmo('c', { size: 'small', ...more });
const withMetadata = (metadata: unknown): Body => gizmo('c', undefined, { metadata });
const twice =
  '{"apiVersion":"golden.example.com/v1","kind":"Gizmo","metadata":{"name":"c"},"spec":{"size":"small","size":"large","x":1}}';

const reads: readonly ProtocolStep[] = [
  post(DEFINITIONS, definition),
  later(get(`${DEFINITIONS}/${NAME}`)),
  get('/apis/golden.example.com'),
  get('/apis/golden.example.com/v1'),
  get('/apis/golden.example.com/v2beta1'),
  get('/apis/golden.example.com/v3'),
  post(GIZMOS, gizmo('a')),
  post(BETAS, gizmo('b', { size: 'large', color: 'blue' }, {}, 'v2beta1')),
  get(`${GIZMOS}/b`),
  get(`${BETAS}/a`),
  get(`${at('v3')}/a`),
  get(at('v1alpha1')),
  get(GIZMOS),
  get(GIZMOS, as('Table')),
  get(`${BETAS}/a`, as('Table')),
  get(GIZMOS, as('PartialObjectMetadataList')),
  get(`${GIZMOS}/a`, as('PartialObjectMetadata')),
  get(`${GIZMOS}?fieldSelector=spec.size%3Dsmall`),
  get(`${GIZMOS}?fieldSelector=spec.color%3Dred`),
  get('/apis/golden.example.com/v1/gizmos?limit=1'),
  get('/apis/golden.example.com/v1/gizmos/a'),
  get('/apis/golden.example.com/v1/namespaces/default/nopes'),
  get(`${GIZMOS}/a/foo`),
];

const creations: readonly ProtocolStep[] = [
  post(GIZMOS, gizmo('a')),
  post(GIZMOS, gizmo('c', undefined, { kind: 'Gadget' })),
  post(GIZMOS, gizmo('c', undefined, {}, 'v2beta1')),
  post(GIZMOS, { metadata: { name: 'c' }, spec: { size: 'small' } }),
  post(GIZMOS, withMetadata({})),
  post(GIZMOS, gizmo('A_B')),
  post(GIZMOS, withMetadata({ name: 'c', namespace: 'other' })),
  post('/apis/golden.example.com/v1/namespaces/nope/gizmos', gizmo('c')),
  post('/apis/golden.example.com/v1/gizmos', gizmo('c')),
  post(GIZMOS, '{"a":'),
  post(GIZMOS, '[]'),
  post(GIZMOS, gizmo('c', null)),
  post(GIZMOS, { apiVersion: 'golden.example.com/v1', kind: 'Gizmo', metadata: { name: 'c' } }),
  post(GIZMOS, withMetadata({ name: 'c', labels: { a: 1 } })),
  post(GIZMOS, withMetadata('x')),
  post(`${GIZMOS}?dryRun=All`, withMetadata({ name: 'c', unknown: 1 })),
  post(GIZMOS, withMetadata({ name: 'c', labels: { 'a b': 'c' } })),
  post(`${GIZMOS}?dryRun=All`, withMetadata({ name: 'c', finalizers: ['plain', 'dotted.name', 'a.example.com/b'] })),
  post(`${GIZMOS}?fieldValidation=Strict`, small({ x: 1, parts: [{ name: 'a', y: 2 }] })),
  post(`${GIZMOS}?fieldValidation=Strict`, twice),
  post(`${GIZMOS}?dryRun=All`, twice),
  post(`${GIZMOS}?dryRun=All&fieldValidation=Ignore`, small({ x: 1 })),
  post(
    `${GIZMOS}?dryRun=All`,
    small({ replicas: null, parts: [{ name: 'a', note: null, count: null }], tags: null, labels: null, free: null }),
  ),
  post(
    `${GIZMOS}?dryRun=All`,
    small({ free: { deep: { er: [1, { a: null }] } }, port: 'http', labels: { a: 'b' }, when: '2026-01-01T00:00:00Z' }),
  ),
  post(
    `${GIZMOS}?dryRun=All`,
    small({
      template: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'x', creationTimestamp: null, labels: { a: 'b' } },
        spec: { x: 1 },
      },
    }),
  ),
  post(`${GIZMOS}?dryRun=All`, gizmo('c', undefined, { status: { phase: 'x' } })),
  ...[
    { size: 'tiny' },
    { replicas: 11 },
    { replicas: 2.5 },
    { name: 'a' },
    { name: 'abcdef' },
    { name: 'AB' },
    { when: 'now' },
    { port: true },
    { port: 1.5 },
    { free: 1 },
    { tags: ['a', 'b', 'a'] },
    { tags: ['a', 'b', 'c', 'd'] },
    { tags: [1] },
    { tags: 'a' },
    { parts: [{ name: 'a' }, { name: 'a' }] },
    { parts: [{ count: 1 }] },
    { parts: ['a'] },
    { labels: { a: '1', b: '2', c: '3' } },
    { labels: { a: 1 } },
    { ratio: 0.7 },
    { choice: {} },
    { choice: { a: '1', b: '2' } },
    { template: { metadata: {} } },
    { template: { kind: 'x y', apiVersion: 'v1' } },
  ].map((spec) => post(GIZMOS, small(spec))),
];

const changes: readonly ProtocolStep[] = [
  put(`${GIZMOS}/a`, gizmo('a')),
  put(`${GIZMOS}/a`, gizmo('b')),
  put(`${GIZMOS}/nope`, gizmo('nope')),
  put(`${GIZMOS}/a`, gizmo('a', undefined, { metadata: { name: 'a', resourceVersion: '1' } })),
  patch('merge', `${GIZMOS}/a`, { metadata: { labels: { x: 'y' } } }),
  patch('merge', `${GIZMOS}/a`, { spec: { size: 'large' }, status: { phase: 'no' } }),
  patch('merge', `${GIZMOS}/a/status`, {
    spec: { size: 'small' },
    metadata: { labels: { q: 'r' } },
    status: { phase: 'Ok', replicas: 2, selector: 'a=b' },
  }),
  patch('merge', `${GIZMOS}/a/status`, { status: { phase: 1 } }),
  patch('merge', `${GIZMOS}/a/status`, { status: { replicas: -1 } }),
  get(`${GIZMOS}/a/scale`),
  get(`${BETAS}/a/scale`),
  patch('merge', `${GIZMOS}/a/scale`, { spec: { replicas: 5 } }),
  patch('merge', `${GIZMOS}/a/scale`, { spec: { replicas: 50 } }),
  patch('merge', `${GIZMOS}/a`, { spec: { replicas: 3, parts: [{ name: 'x' }] } }),
  patch('merge', `${GIZMOS}/a`, { spec: { replicas: 3 } }),
  patch('merge', `${GIZMOS}/a`, { spec: { size: 'tiny' } }),
  patch('merge', `${GIZMOS}/a`, { spec: { unknown: 1 } }),
  patch('merge', `${GIZMOS}/a`, { kind: 'X' }),
  patch('merge', `${GIZMOS}/a`, { apiVersion: 'golden.example.com/v2beta1' }),
  patch('merge', `${GIZMOS}/a`, { metadata: { name: 'q' } }),
  patch('json', `${GIZMOS}/a`, [{ op: 'replace', path: '/spec/size', value: 'small' }]),
  patch('json', `${GIZMOS}/a`, [{ op: 'test', path: '/spec/size', value: 'x' }]),
  patch('strategic', `${GIZMOS}/a`, { spec: {} }),
  patch('merge', `${GIZMOS}/nope`, { spec: {} }),
  patch('merge', `${BETAS}/a`, { spec: { color: 'green' } }),
  get(`${GIZMOS}/a`),
];

const apply = (manager: string, spec: Body, query = '', version = 'v1'): ProtocolStep =>
  patch('apply', `${at(version)}/applied?fieldManager=${manager}${query}`, gizmo('applied', spec, {}, version));

const applies: readonly ProtocolStep[] = [
  apply('one', {
    size: 'small',
    parts: [{ name: 'a' }, { name: 'b', count: 5 }],
    tags: ['x', 'y'],
    labels: { k: 'v' },
    free: { deep: { a: 1 } },
  }),
  apply('two', { size: 'large' }),
  apply('two', { size: 'large', parts: [{ name: 'c' }], tags: ['z'], free: { deep: { b: 1 } } }, '&force=true'),
  apply('one', { parts: [{ name: 'a' }] }),
  apply('one', { unknown: 1 }),
  apply('one', { parts: 'x' }),
  apply('one', { parts: [{ count: 1 }] }),
  patch('apply', `${GIZMOS}/applied?fieldManager=one`, gizmo('applied', {}, { kind: 'Foo' })),
  patch('apply', `${GIZMOS}/applied/status?fieldManager=three`, {
    apiVersion: 'golden.example.com/v1',
    kind: 'Gizmo',
    metadata: { name: 'applied' },
    status: { phase: 'Q' },
  }),
  apply('one', { color: 'red' }, '', 'v2beta1'),
  get(`${GIZMOS}/applied`),
];

const ends: readonly ProtocolStep[] = [
  remove(`${GIZMOS}/b`),
  remove(`${GIZMOS}/b`),
  remove(`${GIZMOS}/a?propagationPolicy=Foreground`),
  get(`${GIZMOS}/a`),
  patch('merge', `${GIZMOS}/a`, { metadata: { finalizers: null } }),
  remove(GIZMOS),
  get(GIZMOS),
  patch('merge', `${DEFINITIONS}/${NAME}`, { spec: { scope: 'Cluster' } }),
  patch('merge', `${DEFINITIONS}/${NAME}`, { spec: { names: { kind: 'Other' } } }),
  patch('json', `${DEFINITIONS}/${NAME}`, [{ op: 'remove', path: '/spec/versions/0' }]),
  patch('json', `${DEFINITIONS}/${NAME}`, [
    { op: 'replace', path: '/spec/versions/0/storage', value: false },
    { op: 'replace', path: '/spec/versions/1/storage', value: true },
    { op: 'replace', path: '/spec/names/shortNames', value: ['gz', 'zz'] },
  ]),
  later(get(`${DEFINITIONS}/${NAME}`)),
  post(GIZMOS, gizmo('late', undefined, { metadata: { name: 'late', finalizers: ['golden.example.com/hold'] } })),
  get(`${BETAS}/late`),
  remove(`${DEFINITIONS}/${NAME}`),
  later(get('/apis/golden.example.com/v1')),
  post(GIZMOS, gizmo('later')),
  patch('merge', `${GIZMOS}/late`, { metadata: { finalizers: null } }),
  later(get(`${DEFINITIONS}/${NAME}`), 9000),
  get(GIZMOS),
  get('/apis/golden.example.com/v1'),
];

/** Kinds that users define: the definitions, and what is served of them. */
export const customResourceSteps: readonly ProtocolStep[] = [
  ...definitions,
  ...reads,
  ...creations,
  ...changes,
  ...applies,
  ...ends,
];
