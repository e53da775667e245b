import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Endpoints, type NewObject, type Pod, type Service, keyOf, resources } from '#pkg/api';
import { seededRandom, semanticEqual } from '#pkg/base';
import { type ClusterRequest, type Fault, type World, createWorld } from '#pkg/testing';

import { serviceOf } from '../internal/endpoints/endpoints.fixture.ts';
import { repackSubsets } from '../internal/endpoints/index.ts';
import { endpointsOf, podOf } from './endpoints.fixture.ts';
import { endpointsController } from './index.ts';

const { endpoints, pods, services } = resources;
const NAMES = ['web', 'db', 'all'];
const MAX_LAG = 4000;

/** What users, nodes and other controllers do. `of` picks a Pod, `which` a Service. */
const DEEDS = [
  'run',
  'turn',
  'kill',
  'vanish',
  'end',
  'relabel',
  'readdress',
  'expose',
  'unexpose',
  'select',
  'label',
  'port',
  'meddle',
  'remove',
];
const doing = (deeds: readonly string[]) =>
  fc.record({
    do: fc.constantFrom(...deeds),
    of: fc.nat(20),
    which: fc.constantFrom(...NAMES),
  });
type Action = ReturnType<typeof doing> extends fc.Arbitrary<infer A> ? A : never;
const script = (action: fc.Arbitrary<Action>) =>
  fc.array(fc.record({ action, after: fc.nat(3000) }), { maxLength: 25 });
const settings = fc.record({
  realInformers: fc.constant<boolean>(false),
  seed: fc.nat(),
  lag: fc.integer({ min: 0, max: MAX_LAG }),
  latency: fc.integer({ min: 0, max: 300 }),
  batchPeriod: fc.constantFrom(0, 1000),
  faults: fc.constantFrom(0, 0.1, 0.4),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

const ports = { web: 8080, admin: 9090 };
const selectors: Record<string, Record<string, string>> = {
  web: { app: 'web' },
  db: { app: 'db' },
  all: { tier: 'x' },
};
const named = { name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' };
const newService = (name: string): Service => serviceOf(name, { selector: selectors[name]!, ports: [named] });
const newPod = (number: number, app = 'web'): Pod =>
  podOf(`p${number}`, {
    ips: [`10.0.0.${number}`],
    ready: number % 3 > 0,
    ports,
    metadata: { labels: { app, tier: 'x' } },
  });
const leader = { 'control-plane.alpha.kubernetes.io/leader': '{}' };

function build({ realInformers, seed, lag, latency, batchPeriod }: Settings): World {
  const chance = seededRandom(seed);
  const world = createWorld({
    controllers: [endpointsController],
    options: { 'endpoint-updates-batch-period': batchPeriod },
    seed,
    realInformers,
    lag: () => Math.floor(chance() * lag),
    latency: () => Math.floor(chance() * latency),
  });
  const { cluster } = world;
  for (let i = 1; i < 4; i++) cluster.create(pods, newPod(i));
  cluster.create(services, newService('web'));
  cluster.create(endpoints, endpointsOf('gone'));
  cluster.create(endpoints, endpointsOf('elected', { metadata: { annotations: leader } }));
  return world;
}

function act({ cluster }: World, { do: what, of, which }: Action): void {
  const key = `default/${which}`;
  const all = cluster.list(pods);
  const one = all[of % Math.max(1, all.length)];
  const service = cluster.get(services, key);
  const changeSpec = (spec: Partial<NonNullable<Service['spec']>>): unknown =>
    service && cluster.change(services, key, (old) => ({ ...old, spec: { ...old.spec, ...spec } }));
  if (what === 'cut') cluster.cutWatches();
  else if (what === 'run') cluster.create(pods, newPod(Number(cluster.resourceVersion), of % 2 ? 'web' : 'db'));
  else if (what === 'expose' && !service) cluster.create(services, newService(which));
  else if (what === 'unexpose' && service) cluster.finish(services, key);
  else if (what === 'select') changeSpec({ selector: selectors[NAMES[of % 3]!]! });
  else if (what === 'port')
    changeSpec({
      ports: of % 2 ? [named] : [named, { name: 'admin', port: 81, targetPort: 'admin', protocol: 'TCP' }],
    });
  else if (what === 'label' && service) touch(cluster, key, { team: String(of) });
  else if (what === 'remove') cluster.finish(endpoints, key);
  else if (what === 'meddle' && cluster.get(endpoints, key)) {
    cluster.change(endpoints, key, (old) => ({
      ...old,
      metadata: { ...old.metadata, annotations: { note: 'x' } },
      subsets: [],
    }));
  } else if (one) changePod(cluster, what, of, one);
}

function changePod(cluster: World['cluster'], what: string, of: number, one: Pod): void {
  const key = keyOf(one);
  const turned = [{ type: 'Ready', status: of % 2 ? 'True' : 'False' }];
  if (what === 'kill') cluster.delete(pods, key);
  else if (what === 'vanish') cluster.finish(pods, key);
  else if (what === 'turn')
    cluster.change(pods, key, (old) => ({ ...old, status: { ...old.status, conditions: turned } }));
  else if (what === 'end')
    cluster.change(pods, key, (old) => ({ ...old, status: { ...old.status, phase: 'Succeeded' } }));
  else if (what === 'relabel')
    cluster.change(pods, key, (old) => ({
      ...old,
      metadata: { ...old.metadata, labels: { app: of % 2 ? 'web' : 'db' } },
    }));
  else if (what === 'readdress')
    cluster.change(pods, key, (old) => ({
      ...old,
      status: { ...old.status, podIP: `10.0.1.${of}`, podIPs: [{ ip: `10.0.1.${of}` }] },
    }));
}

/** Asks for a sync; changes nothing that Endpoints say unless told to. */
function touch(cluster: World['cluster'], key: string, labels?: Record<string, string>): void {
  const annotations = { touched: cluster.resourceVersion };
  cluster.change(services, key, (old) => ({
    ...old,
    metadata: { ...old.metadata, annotations, ...(labels ? { labels } : {}) },
  }));
}

/** `10.0.0.1:8080 ready`, for each address and port: told from the Pods, another way than the controller's. */
function expected(service: Service, all: readonly Pod[]): string[] {
  const wanted = Object.entries(service.spec!.selector!);
  const lines = all
    .filter(
      ({ metadata, status }) =>
        wanted.every(([label, value]) => metadata.labels?.[label] === value) &&
        status?.phase === 'Running' &&
        !metadata.deletionTimestamp,
    )
    .flatMap(({ status }) =>
      service.spec!.ports!.map(({ targetPort }) => {
        const ready = status!.conditions!.some(({ type, status: is }) => type === 'Ready' && is === 'True');
        return `${status!.podIP}:${ports[targetPort as keyof typeof ports]} ${ready ? 'ready' : 'not ready'}`;
      }),
    );
  return lines.toSorted((a, b) => a.localeCompare(b));
}

function said({ subsets = [] }: Endpoints | NewObject<Endpoints>): string[] {
  const lines = subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports: open = [] }) =>
    open.flatMap(({ port }) => [
      ...addresses.map(({ ip }) => `${ip}:${port} ready`),
      ...notReadyAddresses.map(({ ip }) => `${ip}:${port} not ready`),
    ]),
  );
  return lines.toSorted((a, b) => a.localeCompare(b));
}

/** What must hold when nothing disturbs any more, and long enough has gone by. Answers what is written after that. */
async function expectSettled({ cluster, clock }: World): Promise<readonly ClusterRequest[]> {
  cluster.fault = () => undefined;
  const touchAll = (): void => {
    for (const service of cluster.list(services)) touch(cluster, keyOf(service));
  };
  await clock.step(600_000);
  touchAll();
  await clock.step(600_000);
  const there = cluster.list(endpoints).map(({ metadata }) => metadata.name);
  expect(new Set(there)).toEqual(new Set(['elected', ...cluster.list(services).map(({ metadata }) => metadata.name)]));
  for (const service of cluster.list(services)) {
    const live = cluster.get(endpoints, keyOf(service))!;
    expect(said(live)).toEqual(expected(service, cluster.list(pods)));
    expect(live.metadata.labels).toEqual({
      ...service.metadata.labels,
      'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    });
  }
  const writes = cluster.writes.length;
  touchAll();
  await clock.step(600_000);
  return cluster.writes.slice(writes);
}

async function run(
  set: Settings,
  steps: readonly { action: Action; after: number }[],
): Promise<readonly ClusterRequest[]> {
  const world = build(set);
  const chance = seededRandom(set.seed + 1);
  const addresses = new Set<string>();
  const problems: string[] = [];
  world.cluster.onChange(({ resource, object }) => {
    if (resource.kind === 'Pod') for (const { ip } of (object as Pod).status?.podIPs ?? []) addresses.add(ip);
  });
  for (const { status } of world.cluster.list(pods)) addresses.add(status!.podIP!);
  world.cluster.fault = ({ body, type }): Fault => {
    // Whatever is written at any time is in canonical form, and says nothing of addresses that never were a Pod's.
    if (type.kind === 'Endpoints' && body) {
      const { subsets = [] } = body as Endpoints;
      if (!semanticEqual(repackSubsets(subsets), subsets))
        problems.push(`not in canonical form: ${JSON.stringify(subsets)}`);
      const strange = said(body as Endpoints).filter((line) => !addresses.has(line.split(':')[0]!));
      if (strange.length > 0) problems.push(`of no Pod: ${strange.join()}`);
    }
    return chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined;
  };
  try {
    await world.start();
    for (const { action, after } of steps) {
      await world.clock.step(after);
      act(world, action);
    }
    const late = await expectSettled(world);
    expect(problems).toEqual([]);
    return late;
  } finally {
    await world.stop();
  }
}

/** The answer to a creation is lost, and the Service goes before the cache shows what was created. */
const CREATED_UNSEEN: [Settings, { action: Action; after: number }[]] = [
  { realInformers: false, seed: 434539927, lag: 30, latency: 0, batchPeriod: 0, faults: 0.4 },
  [
    { action: { do: 'run', of: 0, which: 'web' }, after: 0 },
    { action: { do: 'remove', of: 0, which: 'web' }, after: 15 },
    { action: { do: 'unexpose', of: 0, which: 'web' }, after: 7 },
    { action: { do: 'run', of: 0, which: 'web' }, after: 7 },
  ],
];

describe('random worlds', () => {
  test('whatever is done and fails, Endpoints come to say what the Pods are, and then nothing is written', async () => {
    const property = fc.asyncProperty(settings, script(doing(DEEDS)), async (set, steps) => {
      expect(await run(set, steps)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 60, examples: [CREATED_UNSEEN] });
  });

  test('the same with real informers whose watches break', async () => {
    const real = settings.map((set) => ({ ...set, realInformers: true }));
    const property = fc.asyncProperty(real, script(doing([...DEEDS, 'cut', 'cut'])), async (set, steps) => {
      expect(await run(set, steps)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
