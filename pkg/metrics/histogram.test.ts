import { Histogram as PromHistogram, Registry } from 'prom-client';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Histogram } from './histogram.ts';

const BUCKETS = [0.001, 0.25, 1, 2.5, 1e3];

test('shows what prom-client would show', async () => {
  const label = fc.constantFrom('a', 'b', 'c"\\d\n');
  const value = fc.oneof(fc.constantFrom(...BUCKETS), fc.double({ min: -1, max: 2000, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ x: label, y: label, value, bound: fc.boolean() }), { maxLength: 30 }),
      async (observations) => {
        const settings = { name: 'seconds', help: 'Help.', labelNames: ['x', 'y'], buckets: BUCKETS };
        const [ours, theirs] = [new Registry(), new Registry()];
        const histogram = new Histogram(settings);
        ours.registerMetric(histogram.forRegistry());
        const original = new PromHistogram({ ...settings, registers: [theirs] });
        for (const { x, y, value: observed, bound } of observations) {
          if (bound) histogram.labels({ y, x }).observe(observed);
          else histogram.observe({ x, y }, observed);
          original.observe({ x, y }, observed);
        }
        histogram.zero({ x: 'z', y: 'z' });
        original.zero({ x: 'z', y: 'z' });
        expect(await ours.metrics()).toBe(await theirs.metrics());
      },
    ),
    { numRuns: 100 },
  );
});

test('without labels it is there from the start', async () => {
  const registry = new Registry();
  const histogram = new Histogram({ name: 'plain', help: 'Plain.', labelNames: [], buckets: [1] });
  registry.registerMetric(histogram.forRegistry());
  expect(await registry.metrics()).toContain('plain_bucket{le="1"} 0');
  histogram.observe(3);
  expect(await registry.metrics()).toContain(
    'plain_bucket{le="1"} 0\nplain_bucket{le="+Inf"} 1\nplain_sum 3\nplain_count 1',
  );
});

test('values of labels may come in their order, and unknown labels or values are refused', () => {
  const histogram = new Histogram({ name: 'h', help: 'H.', labelNames: ['x', 'y'], buckets: [1] });
  expect(histogram.labels('1', '2')).toBe(histogram.labels({ x: '1', y: '2' }));
  expect(() => histogram.observe({ z: '1' } as never, 1)).toThrow('h has no label "z"');
  expect(() => histogram.labels('1', '2').observe(NaN)).toThrow(TypeError);
});
