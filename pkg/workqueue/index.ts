/**
 * The keyed, de-duplicating, delaying, rate-limited work queue on which every controller stands.
 *
 * It holds the backlog and says who may work on what; it runs nothing. A controller does not use it directly either:
 * the loops around it (workers, retries, logs) are in `#pkg/controller`. For a bounded fan-out over known items, where
 * no key comes back, p-queue is the simpler thing.
 *
 *     const queue = createRateLimitingQueue<string>({ name: 'deployment', clock: systemClock, metrics });
 *     for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
 *       try {
 *         await sync(key);
 *         queue.forget(key);
 *       } catch {
 *         queue.addRateLimited(key);
 *       } finally {
 *         queue.done(key);
 *       }
 *     }
 */
export { type RateLimitingQueueOptions, createRateLimitingQueue } from './queue.ts';
export {
  bucketRateLimiter,
  cappedRateLimiter,
  defaultControllerRateLimiter,
  exponentialRateLimiter,
  fastSlowRateLimiter,
  maxOfRateLimiters,
} from './rate-limiters.ts';
export type * from './types.ts';
