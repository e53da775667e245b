import { defineConfig } from 'vitest/config';

import { SummaryReporter } from './test/summary-reporter.ts';

/** Suites that start processes or use sockets, and wait for them. */
const SYSTEM = [
  'test/{election,faults,integration,library,system}/**/*.test.ts',
  'pkg/transport/**/*.test.ts',
  'cmd/**/*.test.ts',
];

export default defineConfig({
  test: {
    // Order is part of what is tested: a test that needs its neighbour fails here sooner than in someone's hands.
    sequence: { shuffle: true },
    restoreMocks: true,
    testTimeout: 20_000,
    // More than there are cores on a small machine: what waits for processes costs no CPU meanwhile.
    maxWorkers: 4,
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{pkg,controllers,deploy}/**/*.test.ts', 'test/{examples,golden}/**/*.test.ts'],
          exclude: SYSTEM,
        },
      },
      { extends: true, test: { name: 'system', include: SYSTEM } },
    ],
  },
});
