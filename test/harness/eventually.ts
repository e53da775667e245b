/** How often a condition that another process brings about is looked at, ms. */
const INTERVAL = 50;

/**
 * Runs `check` until it no longer throws and answers what it answered; throws what it threw last once `timeout` ms have
 * passed. For what processes do in their own time; within one process step the clock instead.
 */
export async function eventually<T>(check: () => Promise<T> | T, timeout = 30_000): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
