import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * By how much the old generation may grow, percent, before it is collected again. V8 lets it double and more, which pays
 * where memory is free; a manager keeps little garbage that lives long.
 */
const GROWTH = 30;
/** Size of the young generation, bytes, from which on it grows no more; V8 takes it to 32 MiB and more under load. */
const LARGEST_YOUNG = 3 * 1024 * 1024;
/** How often it is looked at, at most, ms. */
const LOOK = 5;

/**
 * Keeps the heap near to what is in use: 108 MiB resident at the peak of a rollout of 2,000 Pods instead of 160 to 230, for
 * a few percent of CPU. What V8 takes only on its command line (`--max-semi-space-size`) is done by steering the growth, so
 * that the program costs the same however it is started. (`--optimize-for-size` saves as much, and costs a fifth more CPU.)
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
  let grows = true;
  let lookAt = 0;
  new PerformanceObserver(() => {
    const now = performance.now();
    if (now < lookAt) return;
    lookAt = now + LOOK;
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    const mayGrow = (young?.space_size ?? 0) < LARGEST_YOUNG;
    if (mayGrow === grows) return;
    grows = mayGrow;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  }).observe({ entryTypes: ['gc'] });
}
