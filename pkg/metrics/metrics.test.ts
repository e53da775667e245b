import { expect, test } from 'vitest';

import { Metrics } from './metrics.ts';

test('a name gives one metric, with its stability in the help text', async () => {
  const metrics = new Metrics();
  const counter = metrics.counter({ name: 'things_total', help: 'Things.', stability: 'BETA', labels: ['kind'] });
  metrics.counter({ name: 'things_total', help: 'Things.', stability: 'BETA', labels: ['kind'] }).inc({ kind: 'a' });
  counter.inc({ kind: 'a' });
  expect(await metrics.expose()).toBe(
    '# HELP things_total [BETA] Things.\n# TYPE things_total counter\nthings_total{kind="a"} 2\n',
  );
  expect(metrics.stabilities()).toEqual(['BETA']);
});

test('a disabled metric can be used and is not shown', async () => {
  const metrics = new Metrics({ disabled: new Set(['gone']) });
  metrics.gauge({ name: 'gone', help: 'Gone.', stability: 'ALPHA' }).set(1);
  expect(await metrics.expose()).not.toContain('gone');
});

test('label values that are not allowed become one', async () => {
  const metrics = new Metrics({ labelRules: new Map([['seen', new Map([['kind', new Set(['a', 'b'])]])]]) });
  const gauge = metrics.gauge({ name: 'seen', help: 'Seen.', stability: 'ALPHA', labels: ['kind', 'zone'] });
  gauge.set({ kind: 'a', zone: 'x' }, 1);
  gauge.set({ kind: 'c', zone: 'x' }, 2);
  gauge.labels('d', 'y').set(3);
  gauge.labels({ kind: 'b', zone: 'y' }).inc();
  const shown = (await metrics.expose()).split('\n').filter((line) => line.startsWith('seen'));
  expect(shown.toSorted()).toEqual([
    'seen{kind="a",zone="x"} 1',
    'seen{kind="b",zone="y"} 1',
    'seen{kind="unexpected",zone="x"} 2',
    'seen{kind="unexpected",zone="y"} 3',
  ]);
  expect(metrics.unexpectedLabels).toBe(2);
});

test('values computed when read are current', async () => {
  const metrics = new Metrics();
  const gauge = metrics.gauge({ name: 'depth', help: 'Depth.', stability: 'ALPHA' });
  let depth = 0;
  metrics.beforeExpose(() => gauge.set(depth));
  depth = 7;
  expect(await metrics.expose()).toContain('depth 7');
});
