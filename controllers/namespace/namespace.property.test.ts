import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type KubeObject, type NewObject, type ResourceType, resources } from '#pkg/api';
import { type Random, seededRandom } from '#pkg/base';
import { type Transport, type TransportRequest, type TransportResponse } from '#pkg/client';
import { type ServerWorld, createServerWorld, refusing } from '#pkg/testing';

import { namespaceController } from './index.ts';

const { configMaps, namespaces, pods, secrets } = resources;
const gadgets: ResourceType = {
  group: 'example.com',
  version: 'v1',
  resource: 'gadgets',
  kind: 'Gadget',
  namespaced: true,
};
const KINDS = [configMaps, secrets, pods, gadgets] as const;
const HOLD = 'example.com/hold';

/** Refuses requests, loses their answers, and has discovery leave a group out, as `random` says and for as long as it is told to. */
class Trouble implements Transport {
  chance = 0;
  gaps = false;
  readonly #inner: Transport;
  readonly #random: Random;

  constructor(inner: Transport, random: Random) {
    this.#inner = inner;
    this.#random = random;
  }

  async roundTrip(request: TransportRequest): Promise<TransportResponse> {
    const refused = this.#random() < this.chance;
    if (refused && this.#random() < 0.5) return refusing(503, 'ServiceUnavailable');
    const response = await this.#inner.roundTrip(request);
    if (refused) return refusing(504, 'Timeout');
    return this.gaps && request.path === '/apis' ? { ...response, body: withGap(response.body) } : response;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Discovery whose custom resources nobody could be asked for. */
async function* withGap(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    items: { metadata: { name: string }; versions: object[] }[];
  };
  const items = answer.items.map((group) =>
    group.metadata.name === gadgets.group
      ? { ...group, versions: group.versions.map((version) => ({ ...version, freshness: 'Stale', resources: [] })) }
      : group,
  );
  yield Buffer.from(JSON.stringify({ ...answer, items }));
}

async function define(world: ServerWorld): Promise<void> {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }];
  const spec = {
    group: gadgets.group,
    scope: 'Namespaced',
    names: { plural: gadgets.resource, kind: gadgets.kind },
    versions,
  };
  const body = { metadata: { name: 'gadgets.example.com' }, spec };
  await world.client.request({ method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body });
}

interface Thing {
  readonly kind: number;
  readonly held: boolean;
  /** Seconds that a Pod takes to end. */
  readonly slow: number;
}

async function put(world: ServerWorld, namespace: string, index: number, { kind, held, slow }: Thing): Promise<void> {
  const type = KINDS[kind % KINDS.length]!;
  const annotations = { 'simulation.kubernetes.io/termination-delay': `${slow}s` };
  const metadata = { name: `thing-${index}`, namespace, ...(held ? { finalizers: [HOLD] } : {}), annotations };
  const spec = { terminationGracePeriodSeconds: 30, containers: [{ name: 'main', image: 'app:v1' }] };
  const object: NewObject<KubeObject> & { spec?: object } = type === pods ? { metadata, spec } : { metadata };
  await world.client.resource<KubeObject>(type).create(object);
}

function contentOf(world: ServerWorld, namespace: string): { pods: number; others: number; asked: number } {
  const { store, registry } = world.server;
  const storages = new Set(
    registry
      .all()
      .filter((one) => one.namespaced && one.verbs.includes('list'))
      .map(({ storage }) => storage),
  );
  const count = { pods: 0, others: 0, asked: 0 };
  for (const storage of storages) {
    for (const { object } of store.page(storage, { namespace }).entries) {
      if (storage === 'pods') count.pods++;
      else {
        count.others++;
        if ((object['metadata'] as { deletionTimestamp?: string }).deletionTimestamp !== undefined) count.asked++;
      }
    }
  }
  return count;
}

const thing: fc.Arbitrary<Thing> = fc.record({
  kind: fc.nat(3),
  held: fc.boolean(),
  slow: fc.integer({ min: 1, max: 40 }),
});
const settings = fc.record({
  seed: fc.nat(),
  chance: fc.constantFrom(0, 0.05, 0.4),
  gaps: fc.boolean(),
  going: fc.array(fc.array(thing, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
  staying: fc.array(thing, { maxLength: 4 }),
  troubled: fc.integer({ min: 0, max: 120_000 }),
});

test(
  'whatever fails: what is to go goes, Pods before all else and the namespace last, and nothing else goes',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (set) => {
        let trouble: Trouble | undefined;
        const world = createServerWorld({
          controllers: [namespaceController],
          seed: set.seed,
          between: (transport) => (trouble = new Trouble(transport, seededRandom(set.seed + 1))),
        });
        const { clock, client, server } = world;
        const problems: string[] = [];
        const names = set.going.map((_, index) => `going-${index}`);
        try {
          await world.start();
          await define(world);
          for (const name of [...names, 'staying']) await client.resource(namespaces).create({ metadata: { name } });
          for (const [at, things] of set.going.entries())
            for (const [index, one] of things.entries()) await put(world, names[at]!, index, one);
          for (const [index, one] of set.staying.entries()) await put(world, 'staying', index, one);
          await clock.step(3000);
          const staying = contentOf(world, 'staying');
          const before = new Map(names.map((name) => [name, contentOf(world, name)]));
          const { store } = server;
          store.watch('namespaces', {}, store.revision, ({ type, entry }) => {
            const left = contentOf(world, entry.key);
            if (type === 'DELETED' && left.pods + left.others > 0)
              problems.push(`${entry.key} is gone before its content`);
          });
          for (const { storage } of [
            { storage: 'configmaps' },
            { storage: 'secrets' },
            { storage: 'gadgets.example.com' },
          ]) {
            store.watch(storage, {}, store.revision, ({ entry }) => {
              const name = entry.key.split('/')[0]!;
              if (contentOf(world, name).pods > 0)
                problems.push(`${storage} ${entry.key} is asked to go before the Pods`);
            });
          }
          for (const name of names) await client.resource(namespaces).delete({ name });
          Object.assign(trouble!, { chance: set.chance, gaps: set.gaps });
          await clock.step(set.troubled);
          Object.assign(trouble!, { chance: 0, gaps: false });
          for (const name of names) {
            const { others, pods: running } = before.get(name)!;
            const gone = store.get('namespaces', name) === undefined;
            const held = set.going[names.indexOf(name)]!.some((one) => one.held);
            expect(gone && held).toBe(false);
            const undisturbed = others + running === 0 && set.chance === 0 && !set.gaps && set.troubled > 10_000;
            expect(undisturbed && !gone).toBe(false);
          }
          await clock.step(180_000);
          for (const type of KINDS) {
            for (const { metadata } of (await client.resource<KubeObject>(type).list()).items) {
              if (metadata.namespace === 'staying' || !metadata.finalizers?.includes(HOLD)) continue;
              // Pods are let go first, so that the rest may be asked to go.
              if (type === pods)
                await client.resource<KubeObject>(type).patch(metadata, 'merge', { metadata: { finalizers: null } });
            }
          }
          await clock.step(90_000);
          for (const type of KINDS) {
            for (const { metadata } of (await client.resource<KubeObject>(type).list()).items) {
              if (metadata.namespace === 'staying' || !metadata.finalizers?.includes(HOLD)) continue;
              await client.resource<KubeObject>(type).patch(metadata, 'merge', { metadata: { finalizers: null } });
            }
          }
          await clock.step(180_000);
          expect(problems).toEqual([]);
          for (const name of names)
            expect([name, store.get('namespaces', name), contentOf(world, name)]).toEqual([
              name,
              undefined,
              { pods: 0, others: 0, asked: 0 },
            ]);
          expect(contentOf(world, 'staying')).toEqual(staying);
          // One made under the name of another keeps what is put into it.
          await client.resource(namespaces).create({ metadata: { name: names[0]! } });
          await put(world, names[0]!, 0, { kind: 0, held: false, slow: 1 });
          world.takeRequests();
          await clock.step(600_000);
          expect(contentOf(world, names[0]!).others).toBeGreaterThan(0);
          expect(world.takeRequests()).toEqual([]);
        } finally {
          await world.stop();
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
  },
);
