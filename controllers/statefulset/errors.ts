import { CodedError } from '#pkg/base';

export type StatefulSetErrorCode =
  /** A claim was not created; the cause says why. */
  | 'ClaimNotCreated'
  /** A claim is on its way out; no Pod may start on it. */
  | 'ClaimDeleted'
  /** The owners of a claim could not be put right. */
  | 'ClaimNotUpdated'
  /** A Pod has a name that stands for an ordinal but is not how the set writes it: `web-01`. */
  | 'WrongName'
  /** A revision holds no template. */
  | 'ForeignRevision';

export class StatefulSetError extends CodedError<StatefulSetErrorCode, { readonly name: string }> {}
