import type { Clock, Timer } from '#pkg/base';
import type { Store } from './store/index.ts';

/** How long an Event is kept after it was last written (`--event-ttl` of a kube-apiserver). */
const TIME_TO_LIVE = 3600_000;
/** Events that end close together go together. */
const GRAIN = 10_000;

/** Deletes Events when their time is over. Returns what stops it. */
export function expireEvents(store: Store, clock: Clock): () => void {
  // In the order in which they end, since all live equally long and a write puts one last again.
  const ends = new Map<string, number>();
  let timer: Timer | undefined;
  const arm = (): void => {
    const first = ends.values().next();
    if (timer !== undefined || first.done) return;
    timer = clock.setTimeout(sweep, Math.max(first.value - clock.monotonic(), 0) + GRAIN);
  };
  const sweep = (): void => {
    timer = undefined;
    for (const [key, end] of ends) {
      if (end > clock.monotonic()) break;
      ends.delete(key);
      if (store.get('events', key) !== undefined) store.delete('events', key);
    }
    arm();
  };
  const stop = store.watch('events', {}, store.revision, ({ type, entry }) => {
    ends.delete(entry.key);
    if (type === 'DELETED') return;
    ends.set(entry.key, clock.monotonic() + TIME_TO_LIVE);
    arm();
  });
  return () => {
    stop();
    timer?.cancel();
  };
}
