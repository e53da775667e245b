import { defineConfig } from 'vitest/config';

import { SummaryReporter } from './test/summary-reporter.ts';

export default defineConfig({
  test: {
    include: ['{cmd,pkg,controllers,deploy,test}/**/*.test.ts'],
    exclude: ['test/architecture/**'],
    // Order is part of what is tested: a test that needs its neighbour fails here sooner than in someone's hands.
    sequence: { shuffle: true },
    restoreMocks: true,
    testTimeout: 20_000,
    reporters: ['default', new SummaryReporter()],
  },
});
