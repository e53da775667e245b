import {
  OPENAPI_V2_PROTOBUF,
  asksForProtobuf,
  encodeOpenApiV2,
  openApiV2,
  openApiV3Document,
  openApiV3Index,
} from '../openapi/index.ts';
import type { ApiRequest, ApiResponse } from '../exchange.ts';
import type { JsonObject } from '../json.ts';
import { methodNotAllowedHere } from '../refusals.ts';
import { ISSUER } from '../auth/tokens.ts';
import type { Core } from './call.ts';
import { aggregated, apiGroup, apiGroupList, apiResourceList } from './discovery.ts';
import { type Output, negotiate, parseAccept } from './negotiate.ts';
import type { RequestInfo } from './request-info.ts';
import { respond, respondText } from './respond.ts';

export const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'embedded',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'typescript',
  platform: `${process.platform}/${process.arch}`,
};

/** What load balancers and people without credentials may ask (`system:public-info-viewer`). */
const OPEN = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);

export function isOpenToAll(path: string): boolean {
  return OPEN.has(path);
}

const HEALTH = new Set(['/healthz', '/livez', '/readyz']);
const CHECKS = ['ping', 'log', 'store', 'poststarthook/rbac/bootstrap-roles'];

/** Everything that is not a resource: discovery, schemas, health, version. */
export async function answerPath(core: Core, request: ApiRequest, info: RequestInfo): Promise<ApiResponse> {
  const { path, query } = info;
  const [, root = '', ...rest] = path.split('/');
  if (HEALTH.has(`/${root}`)) return health(`/${root}`, rest.join('/'), query);
  const output = documentOutput(request, info);
  const document = await documentAt(core, path.replace(/\/+$/, ''), output);
  if (document === undefined) return respondText('404 page not found\n', 404);
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowedHere();
  if (
    info.path === '/openapi/v2' &&
    asksForProtobuf(parseAccept(request.headers['accept'] ?? '').map(({ type }) => type))
  )
    return respond(request, output, encodeOpenApiV2(document), 200, {
      'content-type': OPENAPI_V2_PROTOBUF,
      vary: 'Accept',
    });
  const aggregate = document['kind'] === 'APIGroupDiscoveryList';
  const type: Record<string, string> = aggregate
    ? { 'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', vary: 'Accept' }
    : {};
  return respond(request, output, Buffer.from(JSON.stringify(document)), 200, type);
}

/** OpenAPI clients name media types of their own. */
function documentOutput(request: ApiRequest, info: RequestInfo): Output {
  return info.path.startsWith('/openapi/') ? { yaml: false, pretty: false } : negotiate(request.headers, info.query);
}

async function documentAt(core: Core, path: string, output: Output): Promise<JsonObject | undefined> {
  const { registry } = core;
  const aggregate = output.as === 'APIGroupDiscoveryList';
  switch (path) {
    case '':
      return {
        paths: [
          '/api',
          '/api/v1',
          '/apis',
          ...registry.all().map(({ group }) => `/apis/${group}`),
          '/healthz',
          '/livez',
          '/openapi/v2',
          '/openapi/v3',
          '/readyz',
          '/version',
        ].filter((value, index, all) => all.indexOf(value) === index && value !== '/apis/'),
      };
    case '/api':
      return aggregate
        ? aggregated(registry, true)
        : { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    case '/apis':
      return aggregate ? aggregated(registry, false) : apiGroupList(registry);
    case '/version':
      return VERSION;
    case '/openapi/v2':
      return openApiV2(registry);
    case '/openapi/v3':
      return openApiV3Index(registry);
    case '/openid/v1/jwks':
      return core.tokens.keySet();
    case '/.well-known/openid-configuration':
      return {
        issuer: ISSUER,
        jwks_uri: `${ISSUER}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      };
    default:
  }
  const parts = path.split('/').slice(1);
  if (parts[0] === 'openapi' && parts[1] === 'v3') return openApiV3Document(parts.slice(2).join('/'), registry);
  if (parts[0] === 'api' && parts.length === 2) return apiResourceList(registry, '', parts[1]!);
  if (parts[0] === 'apis' && parts.length === 2) return apiGroup(registry, parts[1]!);
  if (parts[0] === 'apis' && parts.length === 3) return apiResourceList(registry, parts[1]!, parts[2]!);
  return undefined;
}

function health(endpoint: string, check: string, query: URLSearchParams): ApiResponse {
  if (check !== '') return CHECKS.includes(check) ? respondText('ok') : respondText('404 page not found\n', 404);
  if (!query.has('verbose')) return respondText('ok');
  return respondText(`${CHECKS.map((name) => `[+]${name} ok\n`).join('')}${endpoint.slice(1)} check passed\n`);
}
