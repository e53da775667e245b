import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type EndpointSlice, type Endpoints, type Service, keyOf, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { type ClusterRequest, type Fault, type World, createWorld } from '#pkg/testing';

import { serviceOf } from '../internal/endpoints/endpoints.fixture.ts';
import type { Subset } from '../internal/endpoints/index.ts';
import { endpointSliceMirroringController } from './index.ts';
import { MANAGER } from './slice.ts';

const { endpointSlices, endpoints, services } = resources;
const NAMES = ['web', 'db'];

const subset = fc.record({
  addresses: fc.subarray(
    ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2', 'x'].map((ip) => ({ ip })),
    { minLength: 1 },
  ),
  ports: fc.subarray(
    [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
    { minLength: 1 },
  ),
});
const subsets = fc.array(subset, { maxLength: 3 });
/** What users do, to the Endpoints, the Service and the slices of one name. */
const DEEDS = [
  'write',
  'write',
  'write',
  'drop',
  'expose',
  'unexpose',
  'select',
  'skip',
  'label',
  'meddle',
  'remove',
  'hand over',
  'stray',
];
const doing = (deeds: readonly string[]) =>
  fc.record({ do: fc.constantFrom(...deeds), which: fc.constantFrom(...NAMES), subsets, of: fc.nat(10) });
type Action = ReturnType<typeof doing> extends fc.Arbitrary<infer A> ? A : never;
const script = (action: fc.Arbitrary<Action>) =>
  fc.array(fc.record({ action, after: fc.nat(3000) }), { maxLength: 20 });
const settings = fc.record({
  realInformers: fc.constant<boolean>(false),
  seed: fc.nat(),
  lag: fc.integer({ min: 0, max: 4000 }),
  latency: fc.integer({ min: 0, max: 300 }),
  batchPeriod: fc.constantFrom(0, 1000),
  faults: fc.constantFrom(0, 0.1, 0.3),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

function build({ realInformers, seed, lag, latency, batchPeriod }: Settings): World {
  const chance = seededRandom(seed);
  const world = createWorld({
    controllers: [endpointSliceMirroringController],
    options: { 'mirroring-endpointslice-updates-batch-period': batchPeriod },
    seed,
    realInformers,
    lag: () => Math.floor(chance() * lag),
    latency: () => Math.floor(chance() * latency),
  });
  world.cluster.create(services, serviceOf('web', { selector: undefined }));
  return world;
}

const newEndpoints = (name: string, said: readonly Subset[]) => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, namespace: 'default' },
  subsets: said,
});

function act({ cluster }: World, { do: what, which, subsets: said, of }: Action): void {
  const key = `default/${which}`;
  const own = cluster.get(endpoints, key);
  const service = cluster.get(services, key);
  const label = (labels: Record<string, string>): unknown =>
    own && cluster.change(endpoints, key, (old) => ({ ...old, metadata: { ...old.metadata, labels } }));
  const select = (selector: Record<string, string> | undefined): unknown =>
    service && cluster.change(services, key, (old) => ({ ...old, spec: { ...old.spec, selector } }));
  if (what === 'cut') cluster.cutWatches();
  else if (what === 'write' && own) cluster.change(endpoints, key, (old) => ({ ...old, subsets: said }));
  else if (what === 'write') cluster.create(endpoints, newEndpoints(which, said));
  else if (what === 'drop') cluster.finish(endpoints, key);
  else if (what === 'expose' && !service) cluster.create(services, serviceOf(which, { selector: undefined }));
  else if (what === 'unexpose') cluster.finish(services, key);
  else if (what === 'select') select(of % 2 ? { app: 'web' } : undefined);
  else if (what === 'skip') label(of % 2 ? { 'endpointslice.kubernetes.io/skip-mirror': 'true' } : {});
  else if (what === 'label') label({ team: String(of) });
  else changeSlice(cluster, what, of);
}

/** Of somebody else who has no business there. */
function changeSlice(cluster: World['cluster'], what: string, of: number): void {
  const slices = cluster.list(endpointSlices);
  const one = slices[of % Math.max(1, slices.length)];
  if (what === 'stray') {
    const labels = {
      'kubernetes.io/service-name': NAMES[of % 2]!,
      'endpointslice.kubernetes.io/managed-by': of % 3 ? MANAGER : 'me',
    };
    cluster.create(endpointSlices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { generateName: 'stray-', namespace: 'default', labels },
      addressType: 'IPv4',
      endpoints: [],
      ports: [],
    });
  } else if (!one) return;
  else if (what === 'remove') cluster.finish(endpointSlices, keyOf(one));
  else if (what === 'meddle')
    cluster.change(endpointSlices, keyOf(one), (old) => ({ ...old, endpoints: [{ addresses: ['10.9.9.9'] }] }));
  else if (what === 'hand over') {
    const change: Record<string, string> =
      of % 2 ? { 'endpointslice.kubernetes.io/managed-by': 'me' } : { 'kubernetes.io/service-name': NAMES[of % 2]! };
    cluster.change(endpointSlices, keyOf(one), (old) => ({
      ...old,
      metadata: { ...old.metadata, labels: { ...old.metadata.labels, ...change } },
    }));
  }
}

const isMirrored = (service: Service | undefined, own: Endpoints | undefined): boolean =>
  !!service &&
  !service.spec?.selector &&
  !!own &&
  own.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] !== 'true';

/** `http 10.0.0.1`: each port of each address once, told another way than the controller's. */
function wanted({ subsets: said = [] }: Endpoints): string[] {
  const lines = said.flatMap(({ addresses = [], ports = [] }) =>
    addresses.filter(({ ip }) => ip !== 'x').flatMap(({ ip }) => ports.map(({ name }) => `${name} ${ip}`)),
  );
  return [...new Set(lines)].toSorted(compare);
}

function told(slices: readonly EndpointSlice[]): string[] {
  const lines = slices.flatMap(({ endpoints: all = [], ports = [] }) =>
    all.flatMap(({ addresses: [ip] }) => ports.map(({ name }) => `${name} ${ip}`)),
  );
  return lines.toSorted(compare);
}

const compare = (a: string, b: string): number => a.localeCompare(b);

async function expectSettled({ cluster, clock }: World): Promise<readonly ClusterRequest[]> {
  cluster.fault = () => undefined;
  const touchAll = (): void => {
    for (const own of cluster.list(endpoints)) {
      const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': cluster.resourceVersion };
      cluster.change(endpoints, keyOf(own), (old) => ({ ...old, metadata: { ...old.metadata, annotations } }));
    }
  };
  await clock.step(900_000);
  touchAll();
  await clock.step(900_000);
  for (const name of NAMES) {
    const ours = cluster
      .list(endpointSlices)
      .filter(
        ({ metadata: { labels } }) =>
          labels?.['kubernetes.io/service-name'] === name &&
          labels['endpointslice.kubernetes.io/managed-by'] === MANAGER,
      );
    const own = cluster.get(endpoints, `default/${name}`);
    const mirrored = isMirrored(cluster.get(services, `default/${name}`), own);
    expect(told(ours)).toEqual(mirrored ? wanted(own!) : []);
    expect(ours.every(({ endpoints: all = [] }) => mirrored && all.length > 0)).toBe(true);
  }
  const writes = cluster.writes.length;
  touchAll();
  await clock.step(900_000);
  return cluster.writes.slice(writes);
}

async function run(
  set: Settings,
  steps: readonly { action: Action; after: number }[],
): Promise<readonly ClusterRequest[]> {
  const world = build(set);
  const chance = seededRandom(set.seed + 1);
  const strange: string[] = [];
  world.cluster.fault = ({ body, verb, type }): Fault => {
    if (verb !== 'list' && type.kind !== 'EndpointSlice') strange.push(`${verb} ${type.kind}`);
    if (body && told([body as EndpointSlice]).length === 0) strange.push(`nothing to say: ${JSON.stringify(body)}`);
    return chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined;
  };
  try {
    await world.start();
    for (const { action, after } of steps) {
      await world.clock.step(after);
      act(world, action);
    }
    const late = await expectSettled(world);
    expect(strange).toEqual([]);
    return late;
  } finally {
    await world.stop();
  }
}

describe('random worlds', () => {
  test('whatever is done and fails, slices come to say what the Endpoints say, and then nothing is written', async () => {
    const property = fc.asyncProperty(settings, script(doing(DEEDS)), async (set, steps) => {
      expect(await run(set, steps)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test('the same with real informers whose watches break', async () => {
    const real = settings.map((set) => ({ ...set, realInformers: true }));
    const property = fc.asyncProperty(real, script(doing([...DEEDS, 'cut', 'cut'])), async (set, steps) => {
      expect(await run(set, steps)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
