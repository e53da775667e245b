import { parseJson } from '#pkg/base';
import { gzipSync } from 'node:zlib';
import type { ApiError } from '#pkg/api';
import { dump } from 'js-yaml';
import type { ApiRequest, ApiResponse } from '../exchange.ts';
import type { JsonObject } from '../json.ts';
import { badRequest, refusal } from '../refusals.ts';
import type { Entry } from '../store/index.ts';
import type { Call } from './call.ts';
import type { Output } from './negotiate.ts';
import { type TableContent, View } from './view.ts';

/** Bodies from this size on are compressed for clients that take it, as upstream does. */
const COMPRESS_FROM = 128 * 1024;
const HEADERS = { 'cache-control': 'no-cache, private' } as const;

/** Names the kind as Go does inside the server, for messages: `*core.Pod`, `*apps.Deployment`. */
export function internalType({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `*${group === '' ? 'core' : group.split('.', 1)[0]!}.${kind}`;
}

export function viewOf(call: Call): View {
  const includeObject = call.query.get('includeObject');
  if (call.output.as === 'Table' && !['Metadata', 'Object', 'None', ''].includes(includeObject ?? '')) {
    const why = `includeObject: Invalid value: "${includeObject}": must be 'Metadata', 'Object', 'None', or empty`;
    throw badRequest(`Unable to convert to Table as requested: ${why}`);
  }
  return new View(call.resource, {
    now: () => call.core.clock.now(),
    ...(call.output.as === undefined ? {} : { as: call.output.as }),
    ...(includeObject === null || includeObject === '' ? {} : { includeObject: includeObject as TableContent }),
  });
}

/** A stored object in the form that the client asked for. */
export function respondEntry(call: Call, entry: Entry, status = 200): ApiResponse {
  if (call.output.as === 'PartialObjectMetadataList') {
    const type = internalType(call.resource);
    throw refusal(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadataList, but the requested object is not a list (${type})`,
    );
  }
  return respondBytes(call, viewOf(call).encode(entry), status);
}

/** Anything else that goes out as an object. */
export function respondObject(call: Call, object: JsonObject, status = 200): ApiResponse {
  return respondBytes(call, Buffer.from(JSON.stringify(object)), status);
}

/** JSON bytes in the form that the client asked for, with the call's warnings. */
export function respondBytes(call: Call, bytes: Buffer, status = 200): ApiResponse {
  return respond(call.request, call.output, bytes, status, warningHeaders(call.warnings));
}

/** JSON bytes in the client's form. */
export function respond(
  request: ApiRequest,
  output: Output,
  bytes: Buffer,
  status: number,
  more: Readonly<Record<string, string | readonly string[]>> = {},
): ApiResponse {
  const body = output.yaml
    ? Buffer.from(
        dump(parseJson(bytes.toString('utf8')), {
          noRefs: true,
          lineWidth: -1,
          sortKeys: true,
          seqNoIndent: true,
          quoteStyle: 'double',
        }),
      )
    : output.pretty
      ? Buffer.from(JSON.stringify(parseJson(bytes.toString('utf8')), null, 2))
      : bytes;
  const headers = { ...HEADERS, 'content-type': output.yaml ? 'application/yaml' : 'application/json', ...more };
  if (body.length < COMPRESS_FROM || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? ''))
    return { status, headers, body };
  const compressed = gzipSync(body, { level: 1 });
  return { status, headers: { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, body: compressed };
}

export function respondRefusal(request: ApiRequest, error: ApiError, warnings: readonly string[] = []): ApiResponse {
  const { status, body } = error.data;
  const wait = body.details?.retryAfterSeconds;
  const pretty = /^(?:curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '');
  return respond(request, { yaml: false, pretty }, Buffer.from(JSON.stringify(body)), status, {
    ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
    ...warningHeaders(warnings),
  });
}

export function respondText(text: string, status = 200): ApiResponse {
  return {
    status,
    headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: Buffer.from(text),
  };
}

/** `299 - "text"`, one header a warning (RFC 7234, 5.5). */
export function warningHeaders(warnings: readonly string[]): Record<string, readonly string[]> {
  if (warnings.length === 0) return {};
  const unique = [...new Set(warnings)];
  return { warning: unique.map((text) => `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}"`) };
}
