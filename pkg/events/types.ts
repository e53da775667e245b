import type { CoreEvent, KubeObject, StringMap } from '#pkg/api';

export type EventType = 'Normal' | 'Warning';

/** Names an object, or a part of it by `fieldPath`, without having it (`v1.ObjectReference`). */
export type ObjectReference = CoreEvent['involvedObject'];

/**
 * Writes events about objects, correlated and aggregated as client-go does; never blocks and never throws.
 *
 * An object must carry `apiVersion` and `kind` (items of a list lack them on the wire; informers put them back);
 * where it may not, pass `referenceTo(resources.pods, pod)`.
 */
export interface EventRecorder {
  event(
    about: KubeObject | ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    options?: EventOptions,
  ): void;
}

export interface EventOptions {
  /** Annotations of the event itself. They belong to its first occurrence: a repetition only counts up. */
  readonly annotations?: StringMap;
}

/** A recorder together with what sends its events. */
export interface RunningEventRecorder extends EventRecorder {
  /** Sends everything recorded so far at once, also counts held back. Resolves when done, or when the signal aborts. */
  flush(signal?: AbortSignal): Promise<void>;
  /**
   * Takes no more events, tries each remaining one once, and ends. When the signal aborts, the request under way is
   * cancelled and what is left is dropped. Always resolves; calling it again waits for the same end.
   */
  stop(signal?: AbortSignal): Promise<void>;
}
