/**
 * With which flags Node is to run the bundle. The young generation is as large as it ever gets from the start, MiB a half: what
 * lives as long as a request then dies young. In a rollout of 2,000 Pods, V8 by itself, which goes up to 16, needs 155 MiB at
 * the peak instead of 112, for the same CPU; 8 need 7 to 10 MiB more and save 2 percent; with one to two, a sixth more CPU
 * goes into collecting.
 */
export const NODE_FLAGS: readonly string[] = [
  '--min-semi-space-size=4',
  '--max-semi-space-size=4',
  // No inspector before the program has a handler of its own.
  '--disable-sigusr1',
];

/** And in which environment: with the arenas that glibc gives to threads, the same peak is at 117 MiB instead of 111. */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };
