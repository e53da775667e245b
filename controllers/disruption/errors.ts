import { CodedError } from '#pkg/base';

export type DisruptionErrorCode =
  /** The server knows no such kind of controller. */
  | 'NoSuchKind'
  /** The kind has no scale subresource, so that nobody can tell how many Pods it wants. */
  | 'NotScalable'
  /** The controller that a Pod names is gone, or another object has its name. */
  | 'NoController';

export interface DisruptionErrorData {
  /** The kind, the resource or the Pod at fault. */
  readonly subject: string;
}

export class DisruptionError extends CodedError<DisruptionErrorCode, DisruptionErrorData> {}
