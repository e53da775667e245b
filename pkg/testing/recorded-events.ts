import type { EventRecorder } from '#pkg/events';

/** A recorder that keeps what it was told: `Normal ScalingReplicaSet Scaled up replica set web-1 from 0 to 3`. */
export class RecordedEvents implements EventRecorder {
  readonly lines: string[] = [];

  event: EventRecorder['event'] = (_about, type, reason, message) => {
    this.lines.push(`${type} ${reason} ${message}`);
  };

  /** What was recorded since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }
}
