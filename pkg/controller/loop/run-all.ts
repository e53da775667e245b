import type { Controller, ControllerContext } from '../definition/definition.ts';

/** Runs several loops as one controller; the first that fails ends the others. */
export function runAll({ name }: Pick<ControllerContext, 'name'>, loops: readonly Controller[]): Controller {
  return {
    name,
    async run(signal) {
      const over = new AbortController();
      const ending = AbortSignal.any([signal, over.signal]);
      const runs = loops.map((loop) => loop.run(ending));
      try {
        await Promise.all(runs);
      } finally {
        over.abort();
        await Promise.allSettled(runs);
      }
    },
    async healthy() {
      for (const loop of loops) await loop.healthy?.();
    },
    running: () => loops.flatMap((loop) => loop.running?.() ?? []),
  };
}
