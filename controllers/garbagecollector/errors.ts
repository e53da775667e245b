import { CodedError } from '#pkg/base';

export type CollectorErrorCode =
  /** The server offers no such kind: not yet, not any more, or never. */
  | 'UnknownKind'
  /** An object without namespace claims an owner that would be in one. */
  | 'OwnerInNamespace'
  /** Nobody can say what is there at the moment. */
  | 'Undecided';

export interface CollectorErrorData {
  readonly apiVersion: string;
  readonly kind: string;
}

export class CollectorError extends CodedError<CollectorErrorCode, CollectorErrorData> {}

export function isCollectorError(error: unknown, code: CollectorErrorCode): boolean {
  return error instanceof CollectorError && error.code === code;
}
