import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type ConfigMap, type WatchEvent, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { ReplicaHandler, informerWorld, refusal, settle, versionsOf } from '#pkg/testing';

function configMap(name: string, value: number): ConfigMap {
  const metadata = { name, namespace: `ns-${name.length % 2}`, uid: '', resourceVersion: '', creationTimestamp: '' };
  return { metadata, data: { value: String(value) } };
}

const names = ['a', 'bb', 'c', 'dd', 'e'];
const verb = fc.constantFrom('list' as const, 'stream' as const, 'watch' as const);
const failure = fc.constantFrom(
  'cut',
  'refused',
  'expired',
  'throttled',
  'internal',
  'forbidden',
  'invalid',
  'gone',
  'ahead',
);

type Action =
  | { readonly do: 'put'; readonly name: string; readonly value: number }
  | { readonly do: 'remove'; readonly name: string }
  | {
      readonly do:
        | 'bookmark'
        | 'compact'
        | 'end'
        | 'drop'
        | 'toggle streaming'
        | 'late handler'
        | 'restart'
        | 'duplicate'
        | 'settle';
    }
  | {
      readonly do: 'fail';
      readonly verb: 'list' | 'stream' | 'watch';
      readonly failure: string;
      readonly times: number;
    }
  | { readonly do: 'pass'; readonly seconds: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.constantFrom(...names), value: fc.nat(9) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom(...names) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'bookmark',
        'compact',
        'end',
        'drop',
        'toggle streaming',
        'late handler',
        'restart',
        'duplicate',
        'settle',
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('fail' as const), verb, failure, times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 5, 60, 400) }) },
);

function errorOf(kind: string): unknown {
  switch (kind) {
    case 'expired':
      return refusal(410, 'Expired');
    case 'gone':
      return refusal(404, 'NotFound');
    case 'throttled':
      return refusal(429, 'TooManyRequests', 'slow', { retryAfterSeconds: 1 });
    case 'internal':
      return refusal(500, 'InternalError');
    case 'forbidden':
      return refusal(403, 'Forbidden');
    case 'invalid':
      return refusal(422, 'Invalid');
    case 'ahead':
      return refusal(504, 'Timeout', 'Too large', { causes: [{ reason: 'ResourceVersionTooLarge' }] });
    default:
      return new Error(kind);
  }
}

/** Repeats some of the events and moves neighbours of different objects past one another; each object's last stays last. */
function disturb(random: () => number): (events: readonly WatchEvent<ConfigMap>[]) => readonly WatchEvent<ConfigMap>[] {
  return (events) => {
    const disturbed = events.flatMap((event) => (random() < 0.3 ? [event, event] : [event]));
    for (let i = disturbed.length - 1; i > 0; i--) {
      const j = Math.max(0, i - Math.floor(random() * 3));
      [disturbed[i], disturbed[j]] = [disturbed[j]!, disturbed[i]!];
    }
    return disturbed;
  };
}

async function play(actions: readonly Action[], seed: number): Promise<void> {
  const world = informerWorld({ seed });
  const { configMaps, clock, factory } = world;
  configMaps.disturb = disturb(seededRandom(seed));
  const informer = factory.informer(resources.configMaps);
  informer.addIndex('value', (object) => [object.data?.['value'] ?? '']);
  const replicas = [new ReplicaHandler<ConfigMap>()];
  informer.addEventHandler(replicas[0]!);
  let stop = new AbortController();
  factory.start(stop.signal);
  const last: WatchEvent<ConfigMap>[] = [];
  let read = 0;
  for (const one of actions) {
    expect(Number(informer.lastSyncResourceVersion)).toBeGreaterThanOrEqual(read);
    read = Number(informer.lastSyncResourceVersion);
    switch (one.do) {
      case 'put':
        last.push({ type: 'MODIFIED', object: configMaps.put(configMap(one.name, one.value)) });
        break;
      case 'remove':
        configMaps.remove(`ns-${one.name.length % 2}/${one.name}`);
        break;
      case 'bookmark':
        configMaps.bookmark();
        break;
      case 'compact':
        configMaps.compact();
        break;
      case 'end':
        configMaps.dropWatches();
        break;
      case 'drop':
        configMaps.dropWatches(new Error('connection reset'));
        break;
      case 'toggle streaming':
        configMaps.canStream = !configMaps.canStream;
        break;
      case 'late handler':
        replicas.push(new ReplicaHandler());
        informer.addEventHandler(replicas.at(-1)!);
        break;
      case 'restart':
        stop.abort();
        stop = new AbortController();
        factory.start(stop.signal);
        break;
      case 'duplicate':
        // Only once the initial events are over: among them a server sends nothing else.
        if (informer.hasSynced()) for (const event of last.slice(-3)) configMaps.send(event);
        break;
      case 'settle':
        await settle();
        break;
      case 'fail':
        configMaps.failNext(one.verb, errorOf(one.failure), one.times);
        break;
      case 'pass':
        await clock.step(one.seconds * 1000);
        break;
    }
  }
  configMaps.failures.length = 0;
  await clock.step(700_000);
  const expected = versionsOf(configMaps.objects());
  expect(versionsOf(informer.lister.list())).toEqual(expected);
  for (const replica of replicas) {
    expect(replica.faults).toEqual([]);
    expect(replica.versions()).toEqual(expected);
  }
  for (let value = 0; value <= 9; value++) {
    const matching = configMaps.objects().filter((object) => object.data?.['value'] === String(value));
    expect(versionsOf(informer.lister.byIndex('value', String(value)))).toEqual(versionsOf(matching));
  }
  expect(informer.hasSynced()).toBe(true);
  expect(
    informer.hasReached(
      configMaps.objects().length === 0
        ? '100'
        : expected.map((one) => one.split('@')[1]!).toSorted((a, b) => Number(b) - Number(a))[0]!,
    ),
  ).toBe(true);
  stop.abort();
  await factory.shutdown();
  expect([clock.pending, configMaps.open]).toEqual([0, 0]);
}

test('whatever the server and the network do, cache, indexes and every handler end up with what the server has', async () => {
  await fc.assert(fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), fc.nat(), play), {
    numRuns: Number(process.env['PROPERTY_RUNS'] ?? 300),
  });
});
