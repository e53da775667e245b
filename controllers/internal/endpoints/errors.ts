import { CodedError } from '#pkg/base';

export type EndpointsErrorCode =
  /** A slice was not created, updated or deleted; the cause says why. */
  | 'WriteFailed'
  /** A Pod is left out because its node is not known. */
  | 'NodeMissing';

export class EndpointsError extends CodedError<EndpointsErrorCode, { readonly object?: string }> {}
