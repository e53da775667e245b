import { ApiError } from '#pkg/api';
import { CodedError, isAbort } from '#pkg/base';
import { authenticate, impersonate } from '../auth/authenticate.ts';
import type { Attributes } from '../auth/authorizer.ts';
import type { ApiRequest, ApiResponse, RequestLog, User } from '../exchange.ts';
import {
  forbidden,
  internalError,
  methodNotAllowedHere,
  noSuchPath,
  notFound,
  refusal,
  tooLarge,
} from '../refusals.ts';
import type { Resource } from '../registry/registry.ts';
import type { Call, Core } from './call.ts';
import { removeCollection, remove } from './delete.ts';
import { deprecationOf } from './deprecations.ts';
import { evict } from './evictions.ts';
import { negotiate } from './negotiate.ts';
import { answerPath, isOpenToAll } from './paths.ts';
import { patch } from './patch.ts';
import { bind, refuseContainers } from './pod-subresources.ts';
import { get, list } from './read.ts';
import { type RequestInfo, type Target, parseRequest } from './request-info.ts';
import { respondRefusal } from './respond.ts';
import { review, reviewFor } from './reviews.ts';
import { scale } from './scale.ts';
import { requestToken } from './token.ts';
import { watch } from './watch.ts';
import { create, update } from './write.ts';

/** Larger request bodies are refused, as upstream's default says. */
const LARGEST_BODY = 3 * 1024 * 1024;

export type Handler = (request: ApiRequest) => Promise<ApiResponse>;

/** The whole API as one function from request to answer. Never rejects: what goes wrong is an answer too. */
export function createHandler(core: Core, requestLog?: RequestLog): Handler {
  return async (request) => {
    const info = parseRequest(request.method, request.path);
    const time = core.clock.now();
    const warnings: string[] = [];
    let user: User | undefined;
    let response: ApiResponse;
    try {
      user = await authenticate(request, core.tokens);
      user = impersonate(user, request.headers, core.authorizer);
      authorize(core, user, info);
      response = await answer(core, request, user, info, warnings);
    } catch (error) {
      response = refuse(core, request, error, warnings);
    }
    requestLog?.({
      method: request.method,
      path: request.path,
      user: user?.name ?? '',
      userAgent: request.headers['user-agent'] ?? '',
      verb: info.verb,
      ...logged(info.target),
      code: response.status,
      time,
    });
    return response;
  };
}

function logged(target: Target | undefined): object {
  if (target === undefined) return {};
  const { group, resource, subresource, namespace, name } = target;
  return {
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

function authorize(core: Core, user: User, info: RequestInfo): void {
  const { verb, path } = info;
  const target = info.target && inOwnNamespace(info.target);
  if (target === undefined && isOpenToAll(path)) return;
  const attributes: Attributes = target === undefined ? { user, verb, path } : { user, verb, ...target };
  if (core.authorizer.authorize(attributes).allowed) return;
  if (target === undefined)
    throw refusal(403, 'Forbidden', `forbidden: User "${user.name}" cannot ${verb} path "${path}"`, {});
  throw forbidden(target, target.name ?? '', deniedMessage(user, verb, target));
}

/** What is asked of a namespace itself counts as asked in it. */
function inOwnNamespace(target: Target): Target {
  const own = target.group === '' && target.resource === 'namespaces' && target.name !== undefined;
  return own ? { ...target, namespace: target.name } : target;
}

function deniedMessage(user: User, verb: string, target: Target): string {
  const resource = target.subresource === undefined ? target.resource : `${target.resource}/${target.subresource}`;
  const scope = target.namespace === undefined ? 'at the cluster scope' : `in the namespace "${target.namespace}"`;
  return `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${target.group}" ${scope}`;
}

async function answer(
  core: Core,
  request: ApiRequest,
  user: User,
  info: RequestInfo,
  warnings: string[],
): Promise<ApiResponse> {
  if (request.body !== undefined && request.body.length > LARGEST_BODY) throw tooLarge(LARGEST_BODY);
  const { target } = info;
  if (target === undefined) return answerPath(core, request, info);
  const resource = core.registry.find(target.group, target.version, target.resource);
  if (resource === undefined) {
    if (core.registry.hasGroup(target.group)) throw noSuchPath();
    return answerPath(core, request, info);
  }
  const call: Call = {
    core,
    request,
    user,
    verb: info.verb,
    query: info.query,
    output: negotiate(request.headers, info.query),
    resource,
    // A namespace's own name is not a namespace it lives in.
    ...(target.namespace === undefined || !resource.namespaced ? {} : { namespace: target.namespace }),
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(target.subresource === undefined ? {} : { subresource: target.subresource }),
    warnings,
  };
  if (target.namespace !== undefined && !resource.namespaced) throw noSuchPath();
  if (resource.custom !== undefined && isOutOfScope(call)) return answerPath(core, request, info);
  const deprecation = deprecationOf(resource);
  if (deprecation !== undefined) warnings.push(deprecation);
  return call.subresource === undefined ? answerResource(call) : answerSubresource(call, call.subresource);
}

function answerResource(call: Call): ApiResponse | Promise<ApiResponse> {
  const { resource, verb } = call;
  if (!allows(resource, verb)) throw methodNotAllowedHere();
  if (
    (verb === 'create') !== (call.name === undefined) &&
    verb !== 'list' &&
    verb !== 'watch' &&
    verb !== 'deletecollection'
  )
    throw methodNotAllowedHere();
  // Whole-cluster reads of namespaced objects are fine; single ones and writes need the namespace.
  if (isOutOfScope(call)) throw methodNotAllowedHere();
  const asked = reviewFor(call);
  if (asked !== undefined) return review(call, asked);
  switch (verb) {
    case 'get':
      return get(call);
    case 'list':
      return list(call);
    case 'watch':
      return watch(call);
    case 'create':
      return resource.resource === 'bindings' ? bind(call) : create(call);
    case 'update':
      return update(call);
    case 'patch':
      return patch(call);
    case 'delete':
      return remove(call);
    case 'deletecollection':
      return removeCollection(call);
    default:
      throw methodNotAllowedHere();
  }
}

/** Where the definition of a custom resource is on its way out, discovery tells of fewer verbs than are still answered. */
function allows({ verbs, custom }: Resource, verb: string): boolean {
  return verbs.includes(verb) || (custom !== undefined && CUSTOM_VERBS.has(verb));
}

const CUSTOM_VERBS = new Set(['create', 'update', 'patch']);

/** Asked of a namespaced resource outside of any namespace. */
function isOutOfScope({ resource, namespace, name, verb }: Call): boolean {
  return (
    resource.namespaced &&
    namespace === undefined &&
    (name !== undefined || verb === 'create' || verb === 'deletecollection')
  );
}

function answerSubresource(call: Call, subresource: string): ApiResponse | Promise<ApiResponse> {
  const served = call.resource.subresources.find(({ name }) => name === subresource.split('/', 1)[0]);
  if (served === undefined && call.resource.custom !== undefined) throw notFound(call.resource, call.name ?? '');
  if (served === undefined || (call.resource.namespaced && call.namespace === undefined)) throw noSuchPath();
  if (!served.verbs.includes(call.verb)) throw methodNotAllowedHere();
  switch (served.name) {
    case 'scale':
      return scale(call);
    case 'binding':
      return bind(call);
    case 'eviction':
      return evict(call);
    case 'token':
      return requestToken(call);
    case 'log':
    case 'exec':
    case 'attach':
    case 'portforward':
    case 'proxy':
      return refuseContainers(call);
    default:
      return call.verb === 'get' ? get(call) : call.verb === 'update' ? update(call) : patch(call);
  }
}

function refuse(core: Core, request: ApiRequest, error: unknown, warnings: readonly string[]): ApiResponse {
  if (error instanceof ApiError) return respondRefusal(request, error, warnings);
  if (!isAbort(error, request.signal))
    core.log.error('Request failed', error, { method: request.method, path: request.path });
  const message =
    error instanceof CodedError
      ? `${error.code}: ${error.message}`
      : error instanceof Error
        ? error.message
        : String(error);
  return respondRefusal(request, internalError(message));
}
