import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line of counts, after vitest's own summary, for whoever reads logs by machine. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) counts[test.result().state]++;
      // A file that does not load runs no test, and is a failure all the same.
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) counts.failed++;
    }
    const skipped = counts.skipped + counts.pending;
    process.on('exit', () => {
      process.stdout.write(
        `${counts.passed} passed, ${counts.failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`,
      );
    });
  }
}
