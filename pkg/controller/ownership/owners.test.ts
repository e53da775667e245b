import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type LabelSelector, type ReplicaSet, SelectorError, compileSelector, keyOf, resources } from '#pkg/api';
import { FakeClock, FakeCluster, LaggingInformers, pod, replicaSet } from '#pkg/testing';

import { dependentsOf, indexDependents, orphansFor } from './dependents.ts';
import { Owners, specSelector } from './owners.ts';

const { pods, replicaSets } = resources;

function setUp() {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = new LaggingInformers({ cluster, clock });
  const owners = new Owners(informers.informer(replicaSets));
  indexDependents(informers.informer(pods));
  informers.start(new AbortController().signal);
  return { clock, cluster, owners, podLister: informers.informer(pods).lister };
}

function selecting(name: string, selector: LabelSelector): ReplicaSet {
  const owner = replicaSet({ name });
  return { ...owner, spec: { ...owner.spec!, selector } };
}

const key = fc.constantFrom('app', 'tier');
const value = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(key, value, { maxKeys: 2 });
const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.uniqueArray(value, { minLength: 1 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: labels,
  matchExpressions: fc.array(expression, { maxLength: 2 }),
});

test('the indexes find what a scan over all selectors finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(selector, { maxLength: 8 }),
      fc.array(labels, { maxLength: 8 }),
      async (selectors, labelSets) => {
        const { clock, cluster, owners, podLister } = setUp();
        selectors.forEach((of, i) => cluster.create(replicaSets, selecting(`owner-${i}`, of)));
        const orphans = labelSets.map((of, i) =>
          cluster.create(pods, { ...pod(`pod-${i}`), metadata: { name: `pod-${i}`, labels: of } }),
        );
        await clock.step(1);
        for (const orphan of orphans) {
          const scanned = cluster.list(replicaSets).filter(({ spec }) => {
            const compiled = compileSelector(spec!.selector);
            return !compiled.everything && compiled.matches(orphan.metadata.labels);
          });
          expect(owners.matching(orphan).map(keyOf).toSorted()).toEqual(scanned.map(keyOf).toSorted());
        }
        for (const owner of cluster.list(replicaSets)) {
          const found = orphansFor(podLister, 'default', owner.spec!.selector).filter((of) =>
            owners.selectorOf(owner).matches(of.metadata.labels),
          );
          const scanned = orphans.filter((of) => compileSelector(owner.spec!.selector).matches(of.metadata.labels));
          expect(found.map(keyOf).toSorted()).toEqual(scanned.map(keyOf).toSorted());
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('the controller is found by name and must be the same object', async () => {
  const { clock, cluster, owners, podLister } = setUp();
  const owner = cluster.create(replicaSets, replicaSet({ name: 'owner' }));
  const mine = cluster.create(pods, pod('mine', owner));
  const foreign = pod('foreign', replicaSet({ name: 'owner' }));
  await clock.step(1);
  expect(owners.controllerOf(mine)).toBe(owner);
  expect(owners.controllerOf(foreign)).toBeUndefined();
  expect(owners.controllerOf(pod('orphan'))).toBeUndefined();
  expect(dependentsOf(podLister, owner.metadata.uid)).toEqual([mine]);
  expect(orphansFor(podLister, 'default', undefined)).toEqual([]);
});

test('a changed selector counts, other namespaces and invalid selectors do not', async () => {
  const { clock, cluster, owners } = setUp();
  cluster.create(replicaSets, selecting('changing', { matchLabels: { app: 'old' } }));
  cluster.create(replicaSets, {
    ...replicaSet({ name: 'elsewhere' }),
    metadata: { name: 'elsewhere', namespace: 'other' },
  });
  const invalid = cluster.create(
    replicaSets,
    selecting('invalid', { matchExpressions: [{ key: 'app', operator: 'Near', values: ['web'] }] }),
  );
  await clock.step(1);
  expect(owners.matching(pod('orphan'))).toEqual([]);
  expect(() => owners.selectorOf(invalid)).toThrow(SelectorError);
  const live = cluster.get(replicaSets, 'default/changing')!;
  cluster.update(replicaSets, { ...live, spec: { ...live.spec!, selector: { matchLabels: { app: 'web' } } } });
  await clock.step(1);
  expect(owners.matching(pod('orphan')).map(keyOf)).toEqual(['default/changing']);
});

test('where an empty selector selects all, it selects all of its namespace', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = new LaggingInformers({ cluster, clock });
  const owners = new Owners(informers.informer(replicaSets), specSelector, { emptySelectsAll: true });
  informers.start(new AbortController().signal);
  cluster.create(replicaSets, selecting('all', {}));
  cluster.create(replicaSets, selecting('web', { matchLabels: { app: 'web' } }));
  cluster.create(replicaSets, { ...selecting('elsewhere', {}), metadata: { name: 'elsewhere', namespace: 'other' } });
  await clock.step(1);
  const names = (of: Record<string, string>): string[] => {
    const one = pod('one');
    return owners
      .matching({ ...one, metadata: { ...one.metadata, labels: of } })
      .map(keyOf)
      .toSorted();
  };
  expect(names({ app: 'web' })).toEqual(['default/all', 'default/web']);
  expect(names({})).toEqual(['default/all']);
});
