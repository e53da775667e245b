import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{cmd,pkg,controllers,deploy,test}/**/*.test.ts'],
    // Order is part of what is tested: a test that needs its neighbour fails here sooner than in someone's hands.
    sequence: { shuffle: true },
    restoreMocks: true,
    testTimeout: 20_000,
    reporters: ['default'],
  },
});
