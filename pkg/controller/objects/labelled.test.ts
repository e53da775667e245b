import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type LabelSelector, compileSelector, keyOf, resources } from '#pkg/api';
import { FakeClock, FakeCluster, LaggingInformers, pod } from '#pkg/testing';

import { indexByLabel, labelledAs, withLabel } from './labelled.ts';

const { pods } = resources;
const key = fc.constantFrom('app', 'tier');
const value = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(key, value, { maxKeys: 2 });
const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector: fc.Arbitrary<LabelSelector | undefined> = fc.option(
  fc.record({ matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) }),
  { nil: undefined },
);
const places = fc.array(fc.record({ namespace: fc.constantFrom('default', 'other'), labels }), { maxLength: 10 });

test('the index finds what a scan over the namespace finds', async () => {
  await fc.assert(
    fc.asyncProperty(selector, places, async (asked, there) => {
      const clock = new FakeClock();
      const cluster = new FakeCluster({ clock });
      const informers = new LaggingInformers({ cluster, clock });
      const { lister } = informers.informer(pods);
      indexByLabel(informers.informer(pods));
      informers.start(new AbortController().signal);
      for (const [i, metadata] of there.entries())
        cluster.create(pods, { ...pod(`pod-${i}`), metadata: { name: `pod-${i}`, ...metadata } });
      await clock.step(1);
      const compiled = compileSelector(asked);
      const scanned = cluster.list(pods, 'default').filter(({ metadata }) => compiled.matches(metadata.labels));
      expect(labelledAs(lister, 'default', asked, compiled).map(keyOf).toSorted()).toEqual(
        scanned.map(keyOf).toSorted(),
      );
      const named = cluster.list(pods, 'other').filter(({ metadata }) => metadata.labels?.['app'] === 'a');
      expect(withLabel(lister, 'other', 'app', 'a').map(keyOf)).toEqual(named.map(keyOf));
    }),
    { numRuns: 200 },
  );
});
