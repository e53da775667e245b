import { expect, test } from 'vitest';

import { ApiError, type ConfigMap, type KubeObject, resources } from '#pkg/api';
import { informerWorld, settle } from '#pkg/testing';

import type { Follower } from './types.ts';

class Diary implements Follower {
  readonly entries: string[] = [];
  size = 0;

  begin(wentBack: boolean): void {
    this.entries.push(wentBack ? 'begin back in time' : 'begin');
  }

  listed({ metadata }: KubeObject): void {
    this.size++;
    this.entries.push(`listed ${metadata.name}`);
  }

  end(): void {
    this.entries.push('end');
  }

  changed(type: string, { metadata }: KubeObject): void {
    this.entries.push(`${type} ${metadata.name}`);
  }

  take(): string[] {
    return this.entries.splice(0);
  }
}

function configMap(name: string): ConfigMap {
  return { metadata: { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' } };
}

test('a follower is told of the list and of what happens after it, and nothing is cached', async () => {
  const { factory, configMaps, sample, stop, clock } = informerWorld();
  configMaps.put(configMap('a'));
  const diary = new Diary();
  const ended = factory.follow(resources.configMaps, diary, stop.signal);
  await settle();
  expect(diary.take()).toEqual(['begin', 'listed a', 'end']);
  expect(configMaps.requests[0]?.options).toMatchObject({ metadataOnly: true, dropManagedFields: true });
  expect(await sample('informer_objects{', 'resource="configmaps"')).toBe(1);

  configMaps.put(configMap('b'));
  configMaps.put(configMap('a'));
  configMaps.remove('default/a');
  await settle();
  expect(diary.take()).toEqual(['ADDED b', 'MODIFIED a', 'DELETED a']);

  configMaps.compact();
  configMaps.dropWatches(new ApiError({ code: 410, reason: 'Expired' }));
  await clock.step(5000);
  expect(diary.take()).toEqual(['begin', 'listed b', 'end']);
  stop.abort();
  await ended;
  expect(configMaps.open).toBe(0);
  expect(clock.pending).toBe(0);
});

test('only informers that somebody asked for exist', () => {
  const { factory } = informerWorld();
  expect(factory.existing(resources.configMaps)).toBeUndefined();
  const informer = factory.informer(resources.configMaps);
  expect(factory.existing(resources.configMaps)).toBe(informer);
  expect(factory.existing({ ...resources.configMaps, version: 'v2' })).toBeUndefined();
  const metadata = factory.metadataInformer(resources.nodes);
  expect(factory.existing(resources.nodes)).toBe(metadata);
});
