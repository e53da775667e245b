import { describe, expect, onTestFinished, test } from 'vitest';

import { type ConfigMap, keyOf, resources } from '#pkg/api';
import { type InformerWorld, ReplicaHandler, informerWorld, refusal, settle, versionsOf } from '#pkg/testing';

import type { SharedInformer } from './types.ts';

function configMap(
  name: string,
  data: Record<string, string> = {},
  parts: Partial<ConfigMap['metadata']> = {},
): ConfigMap {
  const metadata = {
    name,
    namespace: 'default',
    uid: '',
    resourceVersion: '',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...parts,
  };
  return { metadata, data };
}

interface Bench extends InformerWorld {
  readonly informer: SharedInformer<ConfigMap>;
  readonly replica: ReplicaHandler<ConfigMap>;
  readonly start: () => Promise<void>;
  /** Cache and handler show what the server has, and nothing did not fit on the way. */
  readonly expectInSync: () => void;
}

/** An informer on ConfigMaps with one handler; stopped and checked for leaks when the test ends. */
function bench(...options: Parameters<typeof informerWorld>): Bench {
  const world = informerWorld(...options);
  const informer = world.factory.informer(resources.configMaps);
  const replica = new ReplicaHandler<ConfigMap>();
  informer.addEventHandler(replica, { name: 'replica' });
  onTestFinished(async () => {
    world.stop.abort(new Error('test over'));
    await world.factory.shutdown();
    expect({ timers: world.clock.pending, watches: world.configMaps.open }).toEqual({ timers: 0, watches: 0 });
  });
  return {
    ...world,
    informer,
    replica,
    start: async () => {
      world.factory.start(world.stop.signal);
      await settle();
    },
    expectInSync: () => {
      expect(versionsOf(informer.lister.list())).toEqual(versionsOf(world.configMaps.objects()));
      expect(replica.versions()).toEqual(versionsOf(world.configMaps.objects()));
      expect(replica.faults).toEqual([]);
    },
  };
}

describe('first list', () => {
  test('streams the list and stays on the same watch', async () => {
    const { configMaps, informer, replica, start, expectInSync } = bench();
    configMaps.put(configMap('a'));
    configMaps.put(configMap('b'));
    expect(informer.hasSynced()).toBe(false);
    await start();
    expect(informer.hasSynced()).toBe(true);
    expect(informer.lastSyncResourceVersion).toBe(configMaps.resourceVersion);
    expect(replica.initial).toBe(2);
    configMaps.put(configMap('c'));
    configMaps.put(configMap('a', { changed: 'yes' }));
    configMaps.remove('default/b');
    await settle();
    expectInSync();
    expect(replica.initial).toBe(2);
    expect(replica.log.slice(2)).toEqual(['add default/c@103', 'update default/a@101>104', 'delete default/b@105']);
    expect(configMaps.requests.map(({ verb }) => verb)).toEqual(['stream']);
    expect(configMaps.requests[0]?.options).toMatchObject({
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersionMatch: 'NotOlderThan',
      dropManagedFields: true,
    });
    expect(configMaps.requests[0]?.options).not.toHaveProperty('resourceVersion');
  });

  test('lists in pages where the server does not stream', async () => {
    const { configMaps, start, expectInSync } = bench();
    configMaps.canStream = false;
    for (let i = 0; i < 1201; i++) configMaps.put(configMap(`m-${i}`));
    await start();
    expectInSync();
    expect(configMaps.requests.map(({ verb, items }) => [verb, items?.length])).toEqual([
      ['stream', undefined],
      ['list', 500],
      ['list', 500],
      ['list', 201],
      ['watch', undefined],
    ]);
    expect(configMaps.requests.at(-1)?.options).toMatchObject({
      resourceVersion: configMaps.resourceVersion,
      allowWatchBookmarks: true,
    });
  });

  test('starts over when the pages expire under it', async () => {
    const { configMaps, clock, start, informer, expectInSync } = bench();
    configMaps.canStream = false;
    for (let i = 0; i < 1001; i++) configMaps.put(configMap(`m-${i}`));
    const list = configMaps.list.bind(configMaps);
    let pages = 0;
    configMaps.list = async (options) => {
      const page = await list(options);
      if (++pages === 2) configMaps.compact();
      return page;
    };
    await start();
    expect(informer.hasSynced()).toBe(false);
    configMaps.remove('default/m-0');
    await clock.step(2000);
    expectInSync();
    expect(
      configMaps.requests.filter(({ verb }) => verb === 'list').map(({ options }) => options.continue?.split('/')[2]),
    ).toEqual([undefined, '500', '1000', undefined, '500']);
  });

  test('a server that never ends the initial events is listed in pages', async () => {
    const { configMaps, clock, start, expectInSync } = bench();
    configMaps.put(configMap('a'));
    configMaps.silent = true;
    await start();
    await clock.step(20_000);
    configMaps.silent = false;
    expect(configMaps.count('list')).toBe(0);
    await clock.step(20_000);
    expectInSync();
    expect(configMaps.count('list')).toBe(1);
  });

  test('watch lifetimes are random, between 5 and 10 minutes', async () => {
    const lifetimes = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const { configMaps, start } = bench({ seed });
      await start();
      const { timeoutSeconds } = configMaps.requests[0]!.options;
      expect(timeoutSeconds).toBeGreaterThanOrEqual(300);
      expect(timeoutSeconds).toBeLessThanOrEqual(600);
      lifetimes.add(timeoutSeconds!);
    }
    expect(lifetimes.size).toBeGreaterThan(10);
  });
});

describe('keeping up', () => {
  test('resumes from the last event or bookmark', async () => {
    const { configMaps, clock, start, informer, expectInSync } = bench();
    await start();
    configMaps.put(configMap('a'));
    configMaps.bookmark();
    await settle();
    expect(informer.lastSyncResourceVersion).toBe('102');
    await clock.step(300_000);
    configMaps.dropWatches();
    await settle();
    expect(configMaps.requests.at(-1)).toMatchObject({ verb: 'watch', options: { resourceVersion: '102' } });
    configMaps.put(configMap('b'));
    await settle();
    expectInSync();
  });

  test('410 leads to a list no older than the cache, and to the differences alone', async () => {
    const { configMaps, clock, start, replica, expectInSync } = bench();
    for (const name of ['same', 'changed', 'gone', 'replaced']) configMaps.put(configMap(name));
    await start();
    configMaps.dropWatches(new Error('cut'));
    configMaps.put(configMap('changed', { a: 'b' }));
    configMaps.remove('default/gone');
    configMaps.remove('default/replaced');
    configMaps.put(configMap('replaced'));
    configMaps.put(configMap('new'));
    configMaps.compact();
    await clock.step(10_000);
    expectInSync();
    expect(configMaps.requests.map(({ verb, options }) => `${verb} ${options.resourceVersion ?? ''}`)).toEqual([
      'stream ',
      'watch 104',
      'stream 104',
    ]);
    expect(replica.log.slice(4).toSorted()).toEqual([
      'add default/new@109',
      'add default/replaced@108',
      'lost default/gone@103',
      'lost default/replaced@104',
      'update default/changed@102>105',
    ]);
  });

  test('an ERROR event in the stream is a refusal like any other', async () => {
    const { configMaps, clock, start, expectInSync } = bench();
    await start();
    configMaps.send({ type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old' } });
    await settle();
    configMaps.put(configMap('a'));
    await clock.step(5000);
    expectInSync();
    expect(configMaps.count('stream')).toBe(2);
  });

  test('duplicates, older events and deletions of the unknown change nothing', async () => {
    const { configMaps, start, informer, replica, expectInSync } = bench();
    const first = configMaps.put(configMap('a'));
    await start();
    const second = configMaps.put(configMap('a', { v: '2' }));
    const other = configMaps.put(configMap('b'));
    configMaps.remove('default/b');
    await settle();
    const told = replica.log.length;
    configMaps.send({ type: 'MODIFIED', object: first });
    configMaps.send({ type: 'ADDED', object: second });
    configMaps.send({ type: 'ADDED', object: other });
    configMaps.send({ type: 'DELETED', object: other });
    configMaps.send({ type: 'DELETED', object: configMap('never', {}, { resourceVersion: '1' }) });
    await settle();
    expect(replica.log.slice(told)).toEqual([]);
    expect(informer.lastSyncResourceVersion).toBe(configMaps.resourceVersion);
    expectInSync();
  });

  test('an old event of an object that was gone before the list does not bring it back', async () => {
    const { configMaps, start, informer } = bench();
    const gone = configMaps.put(configMap('a'));
    configMaps.remove('default/a');
    await start();
    configMaps.send({ type: 'MODIFIED', object: gone });
    await settle();
    expect(informer.lister.size).toBe(0);
  });

  test('a deletion that carries the version of the last change counts', async () => {
    const { configMaps, start, informer } = bench();
    const kept = configMaps.put(configMap('a'));
    configMaps.bookmark();
    await start();
    configMaps.send({ type: 'DELETED', object: kept });
    await settle();
    expect(informer.lister.size).toBe(0);
  });

  test('events that make no sense are logged and skipped', async () => {
    const { configMaps, start, lines, expectInSync } = bench();
    await start();
    const nonsense: unknown[] = [
      { type: 'ADDED' },
      { type: 'RENAMED', object: configMaps.put(configMap('a')) },
      { type: 'ADDED', object: { metadata: { resourceVersion: '9' } } },
    ];
    for (const event of nonsense) configMaps.send(event as Parameters<typeof configMaps.send>[0]);
    configMaps.put(configMap('b'));
    await settle();
    expectInSync();
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(3);
  });

  test('an event of another object under the same name is a delete and an add', async () => {
    const { configMaps, start, replica } = bench();
    const old = configMaps.put(configMap('a'));
    await start();
    configMaps.send({
      type: 'MODIFIED',
      object: { ...old, metadata: { ...old.metadata, uid: 'other', resourceVersion: '150' } },
    });
    await settle();
    expect(replica.log).toEqual(['add default/a@101', 'lost default/a@101', 'add default/a@150']);
    expect(replica.faults).toEqual([]);
  });

  test('a server restored from a backup is believed, also where versions repeat', async () => {
    const { configMaps, clock, start, informer, expectInSync } = bench();
    for (const name of ['a', 'b', 'c']) configMaps.put(configMap(name, { from: 'before' }));
    await start();
    const [a] = configMaps.objects();
    configMaps.restore(102, [{ ...a!, data: { from: 'backup' } }]);
    await clock.step(10_000);
    expectInSync();
    expect(informer.lister.get('default/a')?.data).toEqual({ from: 'backup' });
    expect(informer.lastSyncResourceVersion).toBe('102');
  });

  test('a watch that outlives its time is given up', async () => {
    const { configMaps, clock, start, expectInSync } = bench();
    await start();
    const [open] = configMaps.requests;
    await clock.step(open!.options.timeoutSeconds! * 1000 + 29_000);
    expect(configMaps.requests).toHaveLength(1);
    await clock.step(5000);
    expect(configMaps.requests).toHaveLength(2);
    configMaps.put(configMap('a'));
    await settle();
    expectInSync();
  });

  test('Retry-After is waited for', async () => {
    const { configMaps, clock, start } = bench();
    await start();
    configMaps.failNext('watch', refusal(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 20 }));
    configMaps.dropWatches(new Error('cut'));
    await clock.step(200);
    expect(configMaps.count('watch')).toBe(1);
    await clock.step(19_000);
    expect(configMaps.count('watch')).toBe(1);
    await clock.step(2000);
    expect(configMaps.count('watch')).toBe(2);
  });
});

describe('fault storms: few requests, and recovery when they end', () => {
  const storms: [string, (collection: InformerWorld['configMaps']) => void][] = [
    [
      'connections refused',
      (collection) => {
        for (const verb of ['list', 'stream', 'watch'] as const)
          collection.failNext(verb, new Error('ECONNREFUSED'), 1000);
      },
    ],
    [
      '500 for everything',
      (collection) => {
        for (const verb of ['list', 'stream', 'watch'] as const)
          collection.failNext(verb, refusal(500, 'InternalError'), 1000);
      },
    ],
    [
      'forbidden',
      (collection) => {
        for (const verb of ['list', 'stream', 'watch'] as const)
          collection.failNext(verb, refusal(403, 'Forbidden'), 1000);
      },
    ],
    [
      '429 without Retry-After',
      (collection) => {
        for (const verb of ['list', 'stream', 'watch'] as const)
          collection.failNext(verb, refusal(429, 'TooManyRequests'), 1000);
      },
    ],
    ['410 for every watch', (collection) => collection.failNext('watch', refusal(410, 'Expired'), 1000)],
    ['422 for every watch', (collection) => collection.failNext('watch', refusal(422, 'Invalid'), 1000)],
    [
      '404 for everything',
      (collection) => {
        for (const verb of ['list', 'stream', 'watch'] as const)
          collection.failNext(verb, refusal(404, 'NotFound'), 1000);
      },
    ],
    ['nothing is answered', (collection) => (collection.silent = true)],
  ];

  test.each(storms)('%s', async (_, begin) => {
    const { configMaps, clock, start, informer, expectInSync } = bench();
    configMaps.put(configMap('a'));
    await start();
    begin(configMaps);
    configMaps.dropWatches(new Error('cut'));
    const before = configMaps.requests.length;
    await clock.step(600_000);
    // Back-off: 10 requests in the first two minutes, then one in 30 to 60 s; a relist is two.
    expect(configMaps.requests.length - before).toBeLessThan(50);
    expect(configMaps.requests.length - before).toBeGreaterThan(0);
    configMaps.put(configMap('b'));
    configMaps.silent = false;
    configMaps.failures.length = 0;
    await clock.step(700_000);
    expectInSync();
    expect(informer.lastSyncResourceVersion).toBe(configMaps.resourceVersion);
  });

  test('watches that end at once do not spin', async () => {
    const { configMaps, clock, start, expectInSync } = bench();
    await start();
    const watch = configMaps.watch.bind(configMaps);
    let ending = true;
    configMaps.watch = (options) => {
      if (ending) queueMicrotask(() => configMaps.dropWatches());
      return watch(options);
    };
    configMaps.dropWatches();
    for (let second = 0; second < 600; second++) {
      await clock.step(1000);
      if (ending) configMaps.dropWatches();
    }
    expect(configMaps.requests.length).toBeLessThan(60);
    ending = false;
    configMaps.put(configMap('a'));
    await clock.step(120_000);
    expectInSync();
  });
});

describe('handlers', () => {
  /** As an async function slips in where a handler is not checked for it. */
  const rejecting = (): void => Promise.reject(new Error('later')) as unknown as void;

  test('one that throws, or rejects, disturbs nobody, and is logged and counted', async () => {
    const { configMaps, informer, start, lines, sample, expectInSync } = bench();
    informer.addEventHandler(
      {
        onAdd: () => {
          throw new Error('boom');
        },
      },
      { name: 'thrower' },
    );
    informer.addEventHandler({ onAdd: rejecting }, { name: 'rejecter' });
    const second = new ReplicaHandler<ConfigMap>();
    informer.addEventHandler(second);
    configMaps.put(configMap('a'));
    await start();
    configMaps.put(configMap('b'));
    await settle();
    expectInSync();
    expect(second.versions()).toEqual(versionsOf(configMaps.objects()));
    expect(await sample('informer_handler_panics_total', 'handler="thrower"')).toBe(2);
    expect(await sample('informer_handler_panics_total', 'handler="rejecter"')).toBe(2);
    expect(lines.filter((line) => line.includes('panic'))).toHaveLength(4);
  });

  test('a late one is replayed the cache and then hears what happened meanwhile', async () => {
    const { configMaps, informer, start } = bench();
    configMaps.put(configMap('a'));
    await start();
    const late = new ReplicaHandler<ConfigMap>();
    const registration = informer.addEventHandler(late);
    configMaps.put(configMap('a', { v: '2' }));
    configMaps.remove('default/a');
    expect([registration.hasSynced(), late.log]).toEqual([false, []]);
    await settle();
    expect(registration.hasSynced()).toBe(true);
    expect(late.log).toEqual(['add default/a@101', 'update default/a@101>102', 'delete default/a@103']);
    expect(late.initial).toBe(1);
  });

  test('has synced once it was told the whole first list, not before', async () => {
    const { configMaps, informer, start } = bench();
    configMaps.put(configMap('a'));
    const told: boolean[] = [];
    const registration = informer.addEventHandler({ onAdd: () => told.push(registration.hasSynced()) });
    expect(registration.hasSynced()).toBe(false);
    await start();
    expect([told, registration.hasSynced()]).toEqual([[false], true]);
  });

  test('a removed one hears nothing more, also of its replay', async () => {
    const { configMaps, informer, start } = bench();
    configMaps.put(configMap('a'));
    const removed = new ReplicaHandler<ConfigMap>();
    const registration = informer.addEventHandler(removed);
    await start();
    registration.remove();
    registration.remove();
    configMaps.put(configMap('b'));
    const atOnce = new ReplicaHandler<ConfigMap>();
    informer.addEventHandler(atOnce).remove();
    await settle();
    expect([removed.log, atOnce.log]).toEqual([['add default/a@101'], []]);
  });

  test('may add and remove handlers while being told', async () => {
    const { configMaps, informer, start } = bench();
    const inner = new ReplicaHandler<ConfigMap>();
    const outer = informer.addEventHandler({
      onAdd: () => {
        outer.remove();
        informer.addEventHandler(inner);
      },
    });
    configMaps.put(configMap('a'));
    configMaps.put(configMap('b'));
    await start();
    expect([inner.log, inner.faults]).toEqual([['add default/a@101', 'add default/b@102'], []]);
  });

  test('are told everything again on their own period', async () => {
    const { configMaps, informer, clock, start } = bench();
    configMaps.put(configMap('a'));
    const counts = { fast: 0, slow: 0, never: 0, fallback: 0 };
    informer.addEventHandler({ onUpdate: () => counts.fast++ }, { resyncPeriod: 10_000 });
    informer.addEventHandler({ onUpdate: () => counts.slow++ }, { resyncPeriod: 100_000 });
    informer.addEventHandler({ onUpdate: () => counts.never++ }, { resyncPeriod: 0 });
    informer.addEventHandler({ onUpdate: () => counts.fallback++ });
    await start();
    await clock.step(221_000);
    expect(counts).toEqual({ fast: expect.any(Number), slow: 2, never: 0, fallback: 0 });
    expect(counts.fast).toBeGreaterThanOrEqual(20);
    expect(counts.fast).toBeLessThanOrEqual(22);
  });

  test('cached objects are frozen in tests', async () => {
    const { configMaps, informer, start } = bench();
    configMaps.put(configMap('a', { x: 'y' }));
    await start();
    const cached = informer.lister.get('default/a')!;
    expect(() => Object.assign(cached.data!, { x: 'z' })).toThrow(TypeError);
  });
});

describe('reading one’s own writes', () => {
  test('waits until the cache has read that far', async () => {
    const { configMaps, informer, start } = bench();
    expect(informer.hasReached('1')).toBe(false);
    await start();
    const signal = new AbortController();
    let seen = '';
    const waiting = informer
      .waitForResourceVersion('101', signal.signal)
      .then(() => (seen = informer.lister.get('default/a')!.metadata.uid));
    await settle();
    expect([seen, informer.hasReached('101')]).toEqual(['', false]);
    configMaps.put(configMap('a'));
    await waiting;
    expect([seen, informer.hasReached('101')]).toEqual(['uid-1', true]);
    const late = informer.waitForResourceVersion('999', signal.signal);
    signal.abort(new Error('enough'));
    await expect(late).rejects.toThrow('enough');
  });
});

describe('what is kept', () => {
  test('the transform decides, also for deletions; managedFields never', async () => {
    const world = informerWorld();
    const informer = world.factory.informer(resources.configMaps, {
      transform: ({ metadata }) => ({ metadata }),
    });
    const deleted: ConfigMap[] = [];
    informer.addEventHandler({ onDelete: (object) => deleted.push(object) });
    const managed = configMap('a', { big: 'x'.repeat(1000) }, { managedFields: [{ manager: 'kubectl' }] });
    world.configMaps.put(managed);
    world.factory.start(world.stop.signal);
    await settle();
    expect(informer.lister.get('default/a')).toEqual({
      metadata: expect.not.objectContaining({ managedFields: expect.anything() }),
    });
    world.configMaps.remove('default/a');
    await settle();
    expect(deleted.map((object) => ({ key: keyOf(object), data: object.data }))).toEqual([
      { key: 'default/a', data: undefined },
    ]);
    world.stop.abort(new Error('over'));
    await world.factory.shutdown();
  });
});
