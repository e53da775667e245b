import { ApiError, groupResource, type Status } from '#pkg/api';

/** What a refusal is about; `resource` is the plural name in paths. */
export interface About {
  readonly group: string;
  readonly resource: string;
}

type Details = NonNullable<Status['details']>;
type Cause = NonNullable<Details['causes']>[number];

/** A refusal as it goes over the wire, in upstream's field order (`k8s.io/apimachinery/pkg/api/errors`). */
export function refusal(code: number, reason: string, message: string, details?: Details): ApiError {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  } as const;
  return new ApiError(status, code);
}

function detailsOf(about: About, name?: string): Details {
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(about.group === '' ? {} : { group: about.group }),
    kind: about.resource,
  };
}

export function notFound(about: About, name: string): ApiError {
  return refusal(404, 'NotFound', `${groupResource(about)} "${name}" not found`, detailsOf(about, name));
}

/** No such path. */
export function noSuchPath(): ApiError {
  return refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(about: About, name: string): ApiError {
  return refusal(409, 'AlreadyExists', `${groupResource(about)} "${name}" already exists`, detailsOf(about, name));
}

export const MODIFIED_MEANWHILE =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(about: About, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${groupResource(about)} "${name}": ${why}`;
  return refusal(409, 'Conflict', message, detailsOf(about, name));
}

export function forbidden(about: About, name: string, why: string, causes?: readonly Cause[]): ApiError {
  const subject = name === '' ? groupResource(about) : `${groupResource(about)} "${name}"`;
  const details = { ...detailsOf(about, name), ...(causes === undefined ? {} : { causes }) };
  return refusal(403, 'Forbidden', `${subject} is forbidden: ${why}`, details);
}

export function unauthorized(): ApiError {
  return refusal(401, 'Unauthorized', 'Unauthorized');
}

export function badRequest(message: string): ApiError {
  return refusal(400, 'BadRequest', message);
}

export function methodNotAllowed(about: About, verb: string): ApiError {
  const message = `${verb} is not supported on resources of kind "${groupResource(about)}"`;
  return refusal(405, 'MethodNotAllowed', message, detailsOf(about));
}

/** The path is there, the method is not. */
export function methodNotAllowedHere(): ApiError {
  return refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  return refusal(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return refusal(415, 'UnsupportedMediaType', message);
}

/** The history that would be needed is gone: 410. */
export function expired(message: string): ApiError {
  return refusal(410, 'Expired', message);
}

/** A revision from the future: the client has talked to another server, or to this one before it was emptied. */
export function tooLargeRevision(asked: number, current: number): ApiError {
  return refusal(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function tooManyRequests(message: string, retryAfterSeconds: number, causes?: readonly Cause[]): ApiError {
  return refusal(429, 'TooManyRequests', message, {
    ...(causes === undefined ? {} : { causes }),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}

export function tooLarge(limit: number): ApiError {
  return refusal(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

export function internalError(message: string): ApiError {
  return refusal(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}
