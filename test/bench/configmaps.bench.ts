/**
 * 100 MB of ConfigMaps of which nobody reads the data: what a cache of them keeps. Upstream's memory grows with the
 * bytes in etcd (kubernetes/kubernetes#115699); ours is to grow with the number of objects, under 1 KB for each.
 */
import { startServer } from './informer/run.ts';
import { figure } from './report.ts';

const COUNT = 10_000;
const server = await startServer({ kind: 'ConfigMap', count: COUNT, bytes: 10_000 });
try {
  const theirs = await server.measure('client-node');
  for (const which of ['ours, metadata only', 'ours, projected', 'ours'] as const) {
    const ours = await server.measure(which);
    const each = (retained: number): number => retained / COUNT;
    figure({
      bench: 'configmaps',
      figure: `heap per object (${which})`,
      value: each(ours.retained),
      unit: 'bytes',
      against: each(theirs.retained),
      ratio: ours.retained / theirs.retained,
    });
    figure({
      bench: 'configmaps',
      figure: `peak RSS above start (${which})`,
      value: ours.peakRss / 1e6,
      unit: 'MB',
      against: theirs.peakRss / 1e6,
      ratio: ours.peakRss / theirs.peakRss,
    });
  }
} finally {
  server.stop();
}
