import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type EndpointSlice,
  type NewObject,
  type Pod,
  type Service,
  isPodReady,
  isPodTerminal,
  keyOf,
  resources,
} from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { type ClusterRequest, type Fault, type World, createWorld, pod } from '#pkg/testing';

import { serviceOf, sliceOf } from '../internal/endpoints/endpoints.fixture.ts';
import { endpointSliceController } from './index.ts';

const { endpointSlices, nodes, pods, services } = resources;
const APPS = ['a', 'b'];
const NODES = ['n0', 'n1', 'n2'];
const LIMIT = 3;
const MAX_LAG = 4000;
const SERVICE_NAME = 'kubernetes.io/service-name';
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';

/** What users, nodes, Deployments and other controllers do; `of` picks an object among those there. */
const action = fc.record({
  do: fc.constantFrom(
    'come',
    'come',
    'come',
    'come',
    'kill',
    'vanish',
    'unready',
    'ready',
    'relabel',
    'fail',
    'family',
    'ports',
    'publish',
    'headless',
    'relabel service',
    'reselect',
    'distribute',
    'topology',
    'replace service',
    'external',
    'node comes',
    'node goes',
    'node moves',
    'slice goes',
    'slice is taken',
    'slice is changed',
    'stray slice',
  ),
  of: fc.nat(20),
});
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;
const script = fc.array(fc.record({ action, after: fc.nat(4000) }), { maxLength: 25 });
const settings = fc.record({
  realInformers: fc.constant<boolean>(false),
  seed: fc.nat(),
  lag: fc.integer({ min: 0, max: MAX_LAG }),
  latency: fc.integer({ min: 0, max: 300 }),
  faults: fc.constantFrom(0, 0.1, 0.4),
  batch: fc.constantFrom(0, 500),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

function build({ realInformers, seed, lag, latency, batch }: Settings): World {
  const chance = seededRandom(seed);
  const world = createWorld({
    controllers: [endpointSliceController],
    seed,
    realInformers,
    options: { 'max-endpoints-per-slice': LIMIT, 'endpointslice-updates-batch-period': batch },
    lag: () => Math.floor(chance() * lag),
    latency: () => Math.floor(chance() * latency),
  });
  for (const app of APPS) world.cluster.create(services, newService(app));
  for (const name of NODES) addNode(world, name, `z-${name}`);
  return world;
}

function newService(app: string): NewObject<Service> {
  const { metadata, spec } = serviceOf(`svc-${app}`, { selector: { app }, ipFamilies: ['IPv4'] });
  return { metadata: { name: metadata.name, namespace: metadata.namespace }, spec };
}

function addNode({ cluster }: World, name: string, zone: string): void {
  const status = { allocatable: { cpu: '4' }, conditions: [{ type: 'Ready', status: 'True' }] };
  if (!cluster.get(nodes, name))
    cluster.create(nodes, { metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } }, status });
}

function addPod({ cluster }: World, of: number): void {
  const number = 1 + (Number(cluster.resourceVersion) % 250);
  const base = pod(`pod-${cluster.resourceVersion}`, undefined, {
    podIP: `10.0.0.${number}`,
    podIPs: [{ ip: `10.0.0.${number}` }, ...(of % 3 === 0 ? [] : [{ ip: `fd00::${number}` }])],
  });
  const containers = [
    { name: 'app', ports: [{ name: 'http', containerPort: of % 5 === 0 ? 9090 : 8080, protocol: 'TCP' }] },
  ];
  cluster.create(pods, {
    ...base,
    metadata: { ...base.metadata, labels: { app: APPS[of % 2]!, extra: 'x' } },
    spec: { nodeName: NODES[of % 3]!, containers },
  });
}

const pick = <T>(all: readonly T[], of: number): T | undefined => (all.length === 0 ? undefined : all[of % all.length]);

function act(world: World, { do: what, of }: Action): void {
  const { cluster } = world;
  const onePod = pick(cluster.list(pods), of);
  const service = pick(cluster.list(services), of);
  const slice = pick(cluster.list(endpointSlices), of);
  const node = pick(cluster.list(nodes), of);
  if (what === 'come') addPod(world, of);
  else if (what === 'node comes') addNode(world, NODES[of % 3]!, `z-${of}`);
  else if (what === 'stray slice') strayAdd(world, of);
  else if (what.startsWith('node')) {
    if (node && what === 'node goes') cluster.finish(nodes, keyOf(node));
    else if (node)
      cluster.change(nodes, keyOf(node), (old) => ({
        ...old,
        metadata: { ...old.metadata, labels: { 'topology.kubernetes.io/zone': `z-${of}` } },
      }));
  } else if (what.startsWith('slice')) {
    if (slice) meddle(world, what, slice);
  } else if (isOfPod(what)) {
    if (onePod) changePod(world, what, onePod);
  } else if (service) changeService(world, what, service, of);
}

const isOfPod = (what: string): boolean => ['kill', 'vanish', 'unready', 'ready', 'relabel', 'fail'].includes(what);

function changePod({ cluster, clock }: World, what: string, chosen: Pod): void {
  const key = keyOf(chosen);
  const lastTransitionTime = new Date(clock.now()).toISOString();
  const ready =
    (status: string) =>
    (old: Pod): Pod => ({
      ...old,
      status: { ...old.status, conditions: [{ type: 'Ready', status, lastTransitionTime }] },
    });
  if (what === 'kill') cluster.delete(pods, key);
  else if (what === 'vanish') cluster.finish(pods, key);
  else if (what === 'unready' || what === 'ready')
    cluster.change(pods, key, ready(what === 'ready' ? 'True' : 'False'));
  else if (what === 'relabel')
    cluster.change(pods, key, (old) => ({
      ...old,
      metadata: { ...old.metadata, labels: { app: old.metadata.labels?.['app'] === 'a' ? 'b' : 'a' } },
    }));
  else cluster.change(pods, key, (old) => ({ ...old, status: { ...old.status, phase: 'Failed' } }));
}

function changeService({ cluster }: World, what: string, service: Service, of: number): void {
  const key = keyOf(service);
  const respec = (spec: Partial<NonNullable<Service['spec']>>): void =>
    void cluster.change(services, key, (old) => ({ ...old, spec: { ...old.spec, ...spec } }));
  if (what === 'family') respec({ ipFamilies: [['IPv4'], ['IPv6'], ['IPv4', 'IPv6'], ['IPv6', 'IPv4']][of % 4] });
  else if (what === 'ports')
    respec({ ports: [{ name: 'http', port: 80, targetPort: of % 2 === 0 ? 'http' : 8080 + of, protocol: 'TCP' }] });
  else if (what === 'publish') respec({ publishNotReadyAddresses: of % 2 === 0 });
  else if (what === 'headless') respec({ clusterIP: of % 2 === 0 ? 'None' : '10.96.0.9' });
  else if (what === 'reselect')
    respec({
      selector: pick<Record<string, string>>(
        [{ app: 'a' }, { app: 'b' }, { app: 'a', extra: 'x' }, { app: 'none' }],
        of,
      ),
    });
  else if (what === 'distribute')
    respec({ trafficDistribution: pick(['PreferClose', 'PreferSameNode', undefined], of) });
  else if (what === 'external') respec({ type: of % 2 === 0 ? 'ExternalName' : 'ClusterIP' });
  else if (what === 'topology')
    cluster.change(services, key, (old) => ({
      ...old,
      metadata: {
        ...old.metadata,
        annotations: { 'service.kubernetes.io/topology-mode': of % 2 === 0 ? 'Auto' : 'Disabled' },
      },
    }));
  else if (what === 'relabel service')
    cluster.change(services, key, (old) => ({ ...old, metadata: { ...old.metadata, labels: { team: String(of) } } }));
  else {
    cluster.finish(services, key);
    cluster.create(services, { metadata: { name: service.metadata.name, namespace: 'default' }, spec: service.spec! });
  }
}

/** Other hands: some delete, some take over, some overwrite. */
function meddle({ cluster }: World, what: string, slice: EndpointSlice): void {
  const key = keyOf(slice);
  if (what === 'slice goes') cluster.finish(endpointSlices, key);
  else if (what === 'slice is changed')
    cluster.change(endpointSlices, key, (old) => ({ ...old, endpoints: (old.endpoints ?? []).slice(1) }));
  else
    cluster.change(endpointSlices, key, (old) => ({
      ...old,
      metadata: {
        ...old.metadata,
        labels: { ...old.metadata.labels, 'endpointslice.kubernetes.io/managed-by': 'somebody else' },
      },
    }));
}

/** A slice of the controller's that it has never seen: of a former Service of the name. */
function strayAdd({ cluster }: World, of: number): void {
  const { metadata, ...rest } = sliceOf(
    `stray-${cluster.resourceVersion}`,
    {},
    { endpoints: [{ addresses: ['10.9.9.9'] }] },
  );
  const { name, labels } = metadata;
  cluster.create(endpointSlices, {
    ...rest,
    metadata: { name, namespace: 'default', labels: { ...labels, [SERVICE_NAME]: `svc-${APPS[of % 2]}` } },
  });
}

const ours = ({ cluster }: World, service: Service): EndpointSlice[] =>
  cluster
    .list(endpointSlices)
    .filter(
      ({ metadata }) =>
        metadata.labels?.[SERVICE_NAME] === service.metadata.name &&
        metadata.labels['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io',
    );

/** By the rules of the API, without a look at how the controller goes about it. */
function wanted({ cluster }: World, { spec }: Service, family: string): string[] {
  const selector = Object.entries(spec?.selector ?? {});
  return cluster
    .list(pods)
    .filter((one) => selector.every(([key, value]) => one.metadata.labels?.[key] === value))
    .filter((one) => !isPodTerminal(one) && (cluster.get(nodes, one.spec!.nodeName!) || spec?.publishNotReadyAddresses))
    .flatMap((one) => {
      const address = one.status?.podIPs?.find(({ ip }) => ip.includes(':') === (family === 'IPv6'))?.ip;
      if (!address) return [];
      const target = spec?.ports?.[0]?.targetPort;
      const port = target === 'http' ? one.spec!.containers[0]!.ports![0]!.containerPort : target;
      const serving = isPodReady(one);
      const terminating = one.metadata.deletionTimestamp !== undefined;
      const ready = spec?.publishNotReadyAddresses === true || (serving && !terminating);
      return [`${one.metadata.uid} ${address}:${port} ${ready} ${serving} ${terminating}`];
    })
    .toSorted();
}

function shown(slices: readonly EndpointSlice[]): string[] {
  return slices
    .flatMap(({ endpoints, ports }) =>
      (endpoints ?? []).map(
        ({ addresses, conditions, targetRef }) =>
          `${targetRef?.uid} ${addresses[0]}:${ports?.[0]?.port} ${conditions?.ready} ${conditions?.serving} ${conditions?.terminating}`,
      ),
    )
    .toSorted();
}

/** A change of every Service that asks for a look and for nothing else. */
function touch(cluster: World['cluster'], time: number): void {
  const annotations = { touched: String(time) };
  for (const service of cluster.list(services)) {
    cluster.change(services, keyOf(service), (old) => ({
      ...old,
      metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...annotations } },
    }));
  }
}

/** What must hold when nothing disturbs any more, and long enough has gone by. Answers what is written after that. */
async function expectSettled(world: World): Promise<readonly ClusterRequest[]> {
  const { cluster, clock } = world;
  cluster.fault = () => undefined;
  // What a node that is gone leaves behind is found by the next look, whatever it is for, once the caches know of it.
  await clock.step(2 * MAX_LAG);
  touch(cluster, 1);
  await clock.step(2_500_000);
  for (const service of cluster.list(services)) {
    if (service.spec?.type === 'ExternalName') continue;
    const families = service.spec!.ipFamilies!;
    const slices = ours(world, service);
    expect([...new Set(slices.map(({ addressType }) => addressType))].toSorted()).toEqual(families.toSorted());
    for (const family of families)
      expect(shown(slices.filter(({ addressType }) => addressType === family))).toEqual(wanted(world, service, family));
    for (const { metadata, endpoints } of slices) {
      expect(endpoints?.length ?? 0).toBeLessThanOrEqual(LIMIT);
      expect(metadata.ownerReferences).toMatchObject([
        { kind: 'Service', uid: service.metadata.uid, controller: true },
      ]);
      expect(metadata.labels).toMatchObject(service.metadata.labels ?? {});
    }
  }
  const writes = cluster.writes.length;
  touch(cluster, 2);
  await clock.step(600_000);
  return cluster.writes.slice(writes);
}

async function run(
  set: Settings,
  steps: readonly { readonly action: Action; readonly after: number }[],
): Promise<void> {
  const world = build(set);
  const { cluster } = world;
  const chance = seededRandom(set.seed + 1);
  const problems: string[] = [];
  cluster.fault = ({ verb, body }): Fault => {
    const { endpoints = [], metadata } = (body ?? {}) as Partial<EndpointSlice>;
    if ((endpoints?.length ?? 0) > LIMIT) problems.push(`${verb} of ${endpoints.length} endpoints`);
    if (metadata?.annotations?.[TRIGGER] !== undefined && !/^\d{4}-.*Z$/.test(metadata.annotations[TRIGGER]))
      problems.push('no time');
    return chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined;
  };
  try {
    await world.start();
    for (const { action: one, after } of steps) {
      await world.clock.step(after);
      act(world, one);
    }
    const late = await expectSettled(world);
    expect({ problems, late }).toEqual({ problems: [], late: [] });
  } finally {
    await world.stop();
  }
}

describe('random worlds', () => {
  test('whatever is done and fails, slices come to hold just the Pods that are selected, and then nothing is written', async () => {
    await fc.assert(fc.asyncProperty(settings, script, run), { numRuns: Number(process.env['RUNS'] ?? 80) });
  });

  test('the same with real informers', async () => {
    const real = settings.map((set) => ({ ...set, realInformers: true }));
    await fc.assert(fc.asyncProperty(real, script, run), { numRuns: Number(process.env['RUNS'] ?? 25) });
  });
});
