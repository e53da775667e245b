import { ownValue } from '#pkg/base';
import { parseBody as parseText } from '../decode/index.ts';
import { PROTOBUF, decodeProtobuf } from '../protobuf/index.ts';
import { refusal, unsupportedMediaType, badRequest } from '../refusals.ts';
import { type JsonObject, isJsonObject } from '../json.ts';

export type As = 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'Table' | 'APIGroupDiscoveryList';

/** The form of the answer that the client takes. */
export interface Output {
  readonly yaml: boolean;
  readonly pretty: boolean;
  readonly as?: As;
}

/** Protobuf is served by the original alone; saying so would make clients ask for it. */
const OFFERED = ['application/json', 'application/yaml'];
const TRANSFORMS: Readonly<Record<string, string>> = {
  PartialObjectMetadata: 'meta.k8s.io/v1',
  PartialObjectMetadataList: 'meta.k8s.io/v1',
  Table: 'meta.k8s.io/v1',
  APIGroupDiscoveryList: 'apidiscovery.k8s.io/v2',
};

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** The first form in the client's order of preference that can be served; 406 where there is none. */
export function negotiate(headers: Readonly<Record<string, string>>, query: URLSearchParams): Output {
  const ranges = parseAccept(headers['accept'] ?? '');
  const pretty = query.has('pretty')
    ? query.get('pretty') !== 'false' && query.get('pretty') !== '0'
    : isBrowser(headers['user-agent']);
  if (ranges.length === 0) return { yaml: false, pretty };
  for (const range of ranges) {
    const type = range.type === '*/*' || range.type === 'application/*' ? 'application/json' : range.type;
    if (!OFFERED.includes(type)) continue;
    const as = range.parameters.get('as');
    if (as !== undefined && ownValue(TRANSFORMS, as) !== `${range.parameters.get('g')}/${range.parameters.get('v')}`)
      continue;
    return { yaml: type === 'application/yaml', pretty, ...(as === undefined ? {} : { as: as as As }) };
  }
  throw refusal(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${OFFERED.join(', ')}`, {});
}

export function parseAccept(accept: string): MediaRange[] {
  const ranges = accept
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseMediaType);
  return ranges.sort((a, b) => b.quality - a.quality);
}

export function parseMediaType(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals > 0) parameters.set(part.slice(0, equals).toLowerCase(), part.slice(equals + 1).replace(/^"|"$/g, ''));
  }
  const quality = Number(parameters.get('q') ?? '1');
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}

/** People with curl get indented answers, as upstream gives them. */
function isBrowser(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}

const BODY_TYPES = ['application/json', 'application/yaml', PROTOBUF];

/**
 * A body as `decodeObject` takes it: the text of JSON, or what is in the other forms that the server reads. 415 for forms
 * it does not. An absent content type means JSON.
 */
export function bodyOf(
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
  kind: string,
): unknown {
  const { type } = parseMediaType(headers['content-type'] || 'application/json');
  if (!BODY_TYPES.includes(type)) throw unsupportedMediaType(BODY_TYPES);
  if (type === PROTOBUF)
    return decodeProtobuf(typeof body === 'string' ? Buffer.from(body, 'latin1') : (body ?? new Uint8Array()));
  return type === 'application/yaml' ? parseText(textOf(body), type, kind) : textOf(body);
}

export function textOf(body: string | Uint8Array | undefined): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/** A small body that no schema checks: options, reviews. */
export function parseBody(
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
): JsonObject {
  const found = bodyOf(headers, body, 'object');
  const value = typeof found === 'string' ? parseText(found, 'application/json', 'object') : found;
  if (!isJsonObject(value)) throw badRequest('the body of the request is not an object');
  return value;
}
