/**
 * How long the event loop is held at most while an informer takes in 100,000 objects of 1 KB: below 50 ms, so that
 * lease renewal and health checks never notice.
 */
import { startServer } from './informer/run.ts';
import { figure } from './report.ts';

const server = await startServer({ kind: 'ConfigMap', count: 100_000, bytes: 1000 });
try {
  const theirs = await server.measure('client-node', { watchTurns: true });
  for (const which of ['ours', 'ours, metadata only'] as const) {
    const { pause } = await server.measure(which, { watchTurns: true });
    figure({
      bench: 'pauses',
      figure: `longest pause (${which})`,
      value: pause,
      unit: 'ms',
      against: theirs.pause,
      ratio: pause / theirs.pause,
    });
  }
} finally {
  server.stop();
}
