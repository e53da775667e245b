import { type ObjectKey, isConflict } from '#pkg/api';
import { CodedError, describeError } from '#pkg/base';

export type ControllerErrorCode =
  /** Adoption was refused after a live look at the owner: it is being deleted, or another object has its name. */
  | 'AdoptionRefused'
  /** The Pod template would make Pods that no selector could find. */
  | 'InvalidTemplate'
  /** Several steps failed; `data.errors` has them. */
  | 'Several'
  /** A deletion of a dependent failed. */
  | 'DeleteFailed';

export interface ControllerErrorData {
  readonly object?: ObjectKey;
  readonly errors?: readonly unknown[];
}

export class ControllerError extends CodedError<ControllerErrorCode, ControllerErrorData> {}

/** Nothing, the only error, or one that has them all; the text as apimachinery's aggregate prints it. */
export function aggregate(errors: readonly unknown[]): unknown {
  if (errors.length < 2) return errors[0];
  const texts = [...new Set(errors.map(describeError))];
  const text = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
  return new ControllerError('Several', text, { errors }, { cause: errors[0] });
}

/** Nothing but write conflicts: the world moved on, the next look will see it. No news for anybody. */
export function isOnlyConflicts(error: unknown): boolean {
  if (error instanceof ControllerError && error.code === 'Several')
    return (error.data.errors ?? []).every(isOnlyConflicts);
  return isConflict(error);
}
