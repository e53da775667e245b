/**
 * An informer on 10,000 Pods of 5.5 KB against client-node's, each in a process of its own against the same server: CPU
 * and memory of the first list, CPU of 10,000 updates. Run by `make bench BENCH=informer`.
 */
import { median, startServer } from './informer/run.ts';
import { figure } from './report.ts';

const COUNT = 10_000;
const RUNS = 3;
const MB = 1e6;

const server = await startServer({ kind: 'Pod', count: COUNT });
try {
  const theirs = await median(RUNS, () => server.measure('client-node', { updates: COUNT }));
  for (const which of ['ours', 'ours, projected', 'ours, metadata only'] as const) {
    const ours = await median(RUNS, () =>
      server.measure(which, { updates: which.endsWith('metadata only') ? 0 : COUNT }),
    );
    const compare = (name: string, unit: string, value: number, against: number): void => {
      figure({ bench: 'informer', figure: `${name} (${which})`, value, unit, against, ratio: value / against });
    };
    compare('CPU of the first list', 'ms', ours.listCpu, theirs.listCpu);
    compare('time of the first list', 'ms', ours.listTime, theirs.listTime);
    compare('retained heap', 'MB', ours.retained / MB, theirs.retained / MB);
    compare('peak RSS above start', 'MB', ours.peakRss / MB, theirs.peakRss / MB);
    if (ours.updatesCpu > 0) compare('CPU of 10,000 updates', 'ms', ours.updatesCpu, theirs.updatesCpu);
  }
} finally {
  server.stop();
}
