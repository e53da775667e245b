import type { KubeObject } from '#pkg/api';

export type EventType = 'Normal' | 'Warning';

/** Writes events about objects, correlated and aggregated as client-go does; never blocks and never throws. */
export interface EventRecorder {
  event(object: KubeObject, type: EventType, reason: string, message: string): void;
}
