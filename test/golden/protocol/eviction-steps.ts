import type { ProtocolStep } from './steps.ts';

const PODS = '/api/v1/namespaces/evictions/pods';
const BUDGETS = '/apis/policy/v1/namespaces/evictions/poddisruptionbudgets';
const MERGE = { 'content-type': 'application/merge-patch+json' };

type Body = Readonly<Record<string, unknown>>;

const post = (path: string, body: unknown, save?: ProtocolStep['save']): ProtocolStep => ({
  verb: 'POST',
  path,
  body,
  ...(save ? { save } : {}),
});
const get = (path: string): ProtocolStep => ({ verb: 'GET', path });
const merge = (path: string, body: Body): ProtocolStep => ({ verb: 'PATCH', path, body, headers: MERGE });
const remove = (path: string): ProtocolStep => ({ verb: 'DELETE', path, body: { gracePeriodSeconds: 0 } });

function pod(name: string, app: string, spec: Body = { nodeName: 'n' }): ProtocolStep {
  return post(
    PODS,
    { metadata: { name, labels: { app } }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } },
    { UID: 'metadata.uid' },
  );
}

function status(name: string, phase: string, ready?: 'True' | 'False'): ProtocolStep {
  const conditions = ready ? [{ type: 'Ready', status: ready, lastTransitionTime: '2026-01-01T00:00:00Z' }] : [];
  return merge(`${PODS}/${name}/status`, { status: { phase, conditions } });
}

const running = (name: string, app: string, ready: 'True' | 'False' = 'True'): ProtocolStep[] => [
  pod(name, app),
  status(name, 'Running', ready),
];

function evict(name: string, deleteOptions?: Body, query = ''): ProtocolStep {
  return post(`${PODS}/${name}/eviction${query}`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name },
    ...(deleteOptions ? { deleteOptions } : {}),
  });
}

function budget(name: string, spec: Body): ProtocolStep {
  return post(BUDGETS, { metadata: { name }, spec: { selector: { matchLabels: { app: name } }, ...spec } });
}

function counted(name: string, counts: Body, condition?: Body): ProtocolStep {
  const zero = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0, observedGeneration: 1 };
  const told = condition && {
    type: 'DisruptionAllowed',
    status: 'False',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    ...condition,
  };
  return merge(`${BUDGETS}/${name}/status`, {
    status: { ...zero, ...counts, ...(told ? { conditions: [told] } : {}) },
  });
}

const condition = (parts: Body): ProtocolStep => counted('web', {}, { reason: 'InsufficientPods', ...parts });

const budgets: readonly ProtocolStep[] = [
  budget('refused', { minAvailable: 1, maxUnavailable: 1 }),
  budget('refused', { minAvailable: -1 }),
  budget('refused', { maxUnavailable: '101%' }),
  budget('refused', { minAvailable: 'half' }),
  budget('refused', { maxUnavailable: '-1%' }),
  budget('refused', { minAvailable: 1, unhealthyPodEvictionPolicy: 'Sometimes' }),
  budget('refused', { minAvailable: 1, selector: { matchExpressions: [{ key: 'a', operator: 'Foo' }] } }),
  budget('refused', { minAvailable: 1, selector: { matchLabels: { a: 'b c' } } }),
  post(BUDGETS, { metadata: { name: 'nothing' } }),
  post(BUDGETS, {
    metadata: { name: 'web' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    status: { disruptionsAllowed: 5 },
  }),
  { verb: 'PUT', path: `${BUDGETS}/web`, body: { metadata: { name: 'web' }, spec: { minAvailable: 2 } } },
  merge(`${BUDGETS}/web`, { spec: { minAvailable: 2 }, status: { disruptionsAllowed: 7 } }),
  merge(`${BUDGETS}/web`, { metadata: { labels: { a: 'b' } } }),
  merge(`${BUDGETS}/web/status`, { spec: { minAvailable: 9 }, status: { expectedPods: 1 } }),
  counted('web', { disruptionsAllowed: -1, currentHealthy: -1, desiredHealthy: -1, expectedPods: -1 }),
  condition({ reason: '' }),
  condition({ reason: 'not a reason' }),
  condition({ type: 'a b' }),
  condition({ type: '' }),
  condition({ status: 'Maybe' }),
  condition({ observedGeneration: -1 }),
  condition({ lastTransitionTime: null }),
  condition({ message: 'x'.repeat(40_000) }),
  merge(`${BUDGETS}/web/status`, {
    status: {
      conditions: ['a', 'a'].map((type) => ({
        type,
        status: 'True',
        reason: 'R',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })),
    },
  }),
  get(`${BUDGETS}/web`),
  remove(`${BUDGETS}/nothing`),
];

const plain: readonly ProtocolStep[] = [
  evict('none'),
  pod('pending', 'free', {}),
  post(`${PODS}/pending/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other' } }),
  post(`${PODS}/pending/eviction`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'pending' } }),
  post(`${PODS}/pending/eviction`, ''),
  post(`${PODS}/pending/eviction`, { apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name: 'pending' } }),
  get(`${PODS}/pending`),
  { verb: 'GET', path: `${PODS}/pending/eviction` },
  ...running('a', 'free'),
  evict('a', undefined, '?dryRun=All'),
  evict('a', { dryRun: ['All'] }),
  evict('a', { dryRun: ['Some'] }),
  evict('a', undefined, '?dryRun=Some'),
  evict('a', { preconditions: { uid: 'other' } }),
  evict('a', { preconditions: { resourceVersion: '1' } }),
  evict('a', { ignoreStoreReadErrorWithClusterBreakingPotential: true }),
  get(`${PODS}/a`),
  evict('a'),
  get(`${PODS}/a`),
  evict('a'),
  evict('a', { gracePeriodSeconds: 0 }),
  get(`${PODS}/a`),
  ...running('b', 'free'),
  evict('b', { preconditions: { uid: '$UID' }, gracePeriodSeconds: 5, propagationPolicy: 'Background' }),
  get(`${PODS}/b`),
  ...running('failed', 'free'),
  status('failed', 'Failed'),
  evict('failed', { preconditions: { resourceVersion: '1' } }),
  evict('failed'),
  get(`${PODS}/failed`),
];

const bounded: readonly ProtocolStep[] = [
  ...running('c', 'kept'),
  budget('kept', { maxUnavailable: 1 }),
  evict('c'),
  counted('kept', { currentHealthy: 1, desiredHealthy: 2, expectedPods: 2 }),
  evict('c'),
  evict('c', undefined, '?dryRun=All'),
  counted('kept', { currentHealthy: 3, desiredHealthy: 2 }),
  evict('c'),
  counted('kept', { currentHealthy: 3, desiredHealthy: 2 }, { reason: 'Because', message: 'of me' }),
  evict('c'),
  counted('kept', {}, { reason: 'SyncFailed', message: 'found no controllers' }),
  evict('c'),
  counted(
    'kept',
    { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
    { status: 'True', reason: 'SufficientPods' },
  ),
  evict('c', undefined, '?dryRun=All'),
  get(`${BUDGETS}/kept`),
  evict('c', { preconditions: { resourceVersion: '1' } }),
  get(`${BUDGETS}/kept`),
  counted(
    'kept',
    { disruptionsAllowed: 2, currentHealthy: 2, desiredHealthy: 0, disruptedPods: null },
    { status: 'True', reason: 'SufficientPods' },
  ),
  evict('c'),
  get(`${BUDGETS}/kept`),
  get(`${PODS}/c`),
];

const unready: readonly ProtocolStep[] = [
  ...running('d', 'ill', 'False'),
  ...running('e', 'ill', 'False'),
  budget('ill', { minAvailable: 1 }),
  counted('ill', { currentHealthy: 0, desiredHealthy: 1, expectedPods: 2 }),
  evict('d'),
  counted('ill', { currentHealthy: 1, desiredHealthy: 1, expectedPods: 2 }),
  evict('d'),
  counted('ill', { currentHealthy: 0, desiredHealthy: 0, expectedPods: 2 }),
  evict('e'),
  merge(`${BUDGETS}/ill`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } }),
  evict('e'),
  get(`${BUDGETS}/ill`),
  ...running('f', 'twice'),
  budget('twice', { minAvailable: 0 }),
  post(BUDGETS, { metadata: { name: 'all' }, spec: { selector: {}, minAvailable: 0 } }),
  evict('f'),
  remove(`${BUDGETS}/twice`),
  evict('f'),
];

/** What the API says of disruption budgets and evictions: sent one after the other, on a fresh server without controllers. */
export const evictionSteps: readonly ProtocolStep[] = [
  post('/api/v1/namespaces', { metadata: { name: 'evictions' } }),
  ...budgets,
  ...plain,
  ...bounded,
  ...unready,
];
