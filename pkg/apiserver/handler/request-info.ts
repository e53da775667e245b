import { ownValue } from '#pkg/base';

/** What a path asks for (`k8s.io/apiserver/pkg/endpoints/request`, RequestInfo). */
export interface RequestInfo {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly verb: string;
  /** Missing on paths that are no resource. */
  readonly target?: Target;
}

export interface Target {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  GET: 'get',
  HEAD: 'get',
  DELETE: 'delete',
};
/** What follows `/namespaces/<name>/` without being a resource in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

export function parseRequest(method: string, pathAndQuery: string): RequestInfo {
  const mark = pathAndQuery.indexOf('?');
  const path = mark < 0 ? pathAndQuery : pathAndQuery.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : pathAndQuery.slice(mark + 1));
  const parts = path.split('/').filter((part) => part !== '');
  const grouped = parts[0] === 'apis';
  const start = grouped ? 3 : 2;
  if ((!grouped && parts[0] !== 'api') || parts.length <= start) return { path, query, verb: method.toLowerCase() };
  const legacyWatch = parts[start] === 'watch';
  const target = parseTarget(
    grouped ? parts[1]! : '',
    parts[start - 1]!,
    parts.slice(legacyWatch ? start + 1 : start).map(decode),
  );
  if (target === undefined) return { path, query, verb: method.toLowerCase() };
  return { path, query, verb: verbOf(method, query, target, legacyWatch), target };
}

function parseTarget(group: string, version: string, parts: readonly string[]): Target | undefined {
  let rest = parts;
  let namespace: string | undefined;
  if (
    rest[0] === 'namespaces' &&
    rest.length > 2 &&
    !(group === '' && rest.length === 3 && NAMESPACE_SUBRESOURCES.has(rest[2]!))
  ) {
    namespace = rest[1]!;
    rest = rest.slice(2);
  }
  const [resource, name, ...subresource] = rest;
  if (resource === undefined) return undefined;
  return {
    group,
    version,
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource.length === 0 ? {} : { subresource: subresource.join('/') }),
  };
}

function verbOf(method: string, query: URLSearchParams, target: Target, legacyWatch: boolean): string {
  const verb = ownValue(VERBS, method) ?? method.toLowerCase();
  if (verb === 'get' && target.subresource === undefined) {
    if (legacyWatch) return 'watch';
    if (target.name === undefined) return isTrue(query.get('watch')) ? 'watch' : 'list';
  }
  return verb === 'delete' && target.name === undefined ? 'deletecollection' : verb;
}

/** How Go's conversion reads a boolean parameter: anything but an explicit no is a yes. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
