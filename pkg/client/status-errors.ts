import { parseJson } from '#pkg/base';
import { ApiError, type Status } from '#pkg/api';

/** What was asked, as far as the text of an error needs it. */
export interface ErrorSubject {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly name?: string;
}

/** Texts of other servers' pages are cut here (`maxUnstructuredResponseTextBytes` of client-go). */
const LONGEST_TEXT = 2048;

/** The refusal in an answer: its Status where the body is one, else one made up from the HTTP status. */
export function errorFromAnswer(
  httpStatus: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  subject: ErrorSubject,
): ApiError {
  const retryAfter = retryAfterSeconds(headers);
  const wait = retryAfter === undefined ? undefined : retryAfter * 1000;
  const status = parseStatus(body);
  if (status !== undefined) return new ApiError(status, httpStatus, wait);
  return new ApiError(synthesise(httpStatus, headers, body, subject, retryAfter), httpStatus, wait);
}

/** Seconds of a `Retry-After` header; dates are not understood, as in client-go. */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after'];
  return value !== undefined && /^[+-]?\d+$/.test(value) ? Math.max(0, Number(value)) : undefined;
}

function parseStatus(body: Buffer): Status | undefined {
  try {
    const value: unknown = parseJson(body.toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const { kind, status } = value as { kind?: unknown; status?: unknown };
    return kind === 'Status' && status !== 'Success' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A Status for an answer that is none, worded by HTTP status (`errors.NewGenericServerResponse` of apimachinery). */
function synthesise(
  code: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  subject: ErrorSubject,
  retryAfter: number | undefined,
): Status {
  const type = headers['content-type'] ?? '';
  const isText = type === '' || type.startsWith('text/');
  const said = isText ? body.toString('utf8', 0, LONGEST_TEXT).trim() : 'unknown';
  const { reason, message } = meaningOf(code, subject.verb, said);
  const target = subject.resource === undefined ? '' : ` (${describeSubject(subject)})`;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: message + target,
    details: {
      ...(subject.group ? { group: subject.group } : {}),
      ...(subject.resource ? { kind: subject.resource } : {}),
      ...(subject.name ? { name: subject.name } : {}),
      ...(retryAfter ? { retryAfterSeconds: retryAfter } : {}),
      causes: [{ reason: 'UnexpectedServerResponse', message: said }],
    },
  };
}

function describeSubject({ verb, group, resource, name }: ErrorSubject): string {
  const full = group ? `${resource}.${group}` : resource;
  return `${verb.toLowerCase()} ${full}${name ? ` ${name}` : ''}`;
}

function meaningOf(code: number, verb: string, said: string): { reason: string; message: string } {
  switch (code) {
    case 400:
      return { reason: 'BadRequest', message: 'the server rejected our request for an unknown reason' };
    case 401:
      return { reason: 'Unauthorized', message: 'the server has asked for the client to provide credentials' };
    case 403:
      return { reason: 'Forbidden', message: said };
    case 404:
      return { reason: 'NotFound', message: 'the server could not find the requested resource' };
    case 405:
      return { reason: 'MethodNotAllowed', message: 'the server does not allow this method on the requested resource' };
    case 406: {
      const fallback = 'the server was unable to respond with a content type that the client supports';
      return { reason: 'NotAcceptable', message: said === '' || said === 'unknown' ? fallback : said };
    }
    case 409:
      return { reason: verb === 'POST' ? 'AlreadyExists' : 'Conflict', message: 'the server reported a conflict' };
    case 415:
      return { reason: 'UnsupportedMediaType', message: said };
    case 422:
      return { reason: 'Invalid', message: 'the server rejected our request due to an error in our request' };
    case 429:
      return {
        reason: 'TooManyRequests',
        message: 'the server has received too many requests and has asked us to try again later',
      };
    case 503:
      return { reason: 'ServiceUnavailable', message: 'the server is currently unable to handle the request' };
    case 504: {
      const message =
        'the server was unable to return a response in the time allotted, but may still be processing the request';
      return { reason: 'Timeout', message };
    }
    default:
      if (code >= 500) {
        const message = `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
        return { reason: 'InternalError', message };
      }
      return {
        reason: 'Unknown',
        message: `the server responded with the status code ${code} but did not return more information`,
      };
  }
}
