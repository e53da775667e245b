import { ApiError } from '#pkg/api';
import { isTransportError } from '#pkg/client';

import type { FailureKind } from './reflector-state.ts';

/** What an error of a list or watch means for keeping up. */
export function classify(error: unknown): { kind: FailureKind; retryAfter?: number } {
  if (isTransportError(error)) return { kind: error.code === 'garbled' ? 'garbled' : 'broken' };
  if (!(error instanceof ApiError)) return { kind: 'broken' };
  const { retryAfter } = error.data;
  return { kind: kindOf(error), ...(retryAfter === undefined ? {} : { retryAfter }) };
}

function kindOf(error: ApiError): FailureKind {
  if (isAhead(error)) return 'ahead';
  switch (error.code) {
    case 'Expired':
    case 'Gone':
      return 'expired';
    case 'TooManyRequests':
      return 'throttled';
    case 'BadRequest':
    case 'Invalid':
    case 'MethodNotAllowed':
    case 'NotAcceptable':
      return 'rejected';
    case 'NotFound':
      return 'missing';
    default:
      return 'refused';
  }
}

/** `ResourceVersionTooLarge`: a replica that lags behind, or a server restored from a backup. */
function isAhead(error: ApiError): boolean {
  const causes = error.data.body.details?.causes ?? [];
  return causes.some((cause) => cause.reason === 'ResourceVersionTooLarge');
}
