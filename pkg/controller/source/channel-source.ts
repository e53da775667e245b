import type { ResourceType } from '#pkg/api';

import type { AnyTrigger, Enqueue } from './triggers.ts';

/** A trigger whose keys come from the controller itself, say from another of its loops, and from no watch. */
export interface ChannelSource extends AnyTrigger {
  /** Enqueues a key in the loop that the source is attached to; dropped where there is none. */
  send(item: Enqueue): void;
}

/** Makes a {@link ChannelSource} for one loop. `resource`: what the keys name (`source.Channel` in controller-runtime). */
export function channelSource(resource: ResourceType): ChannelSource {
  let enqueue: (item: Enqueue) => void = () => {};
  return {
    resource,
    send: (item) => enqueue(item),
    attach(options) {
      ({ enqueue } = options);
      return { hasSynced: () => true, remove: () => (enqueue = () => {}), whenSynced: () => Promise.resolve() };
    },
  };
}
