/** What a request asks for: the path as its bytes are decoded, and the query. */
export interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\u001f\u007f]/;
const SCHEME = /^([a-z][a-z0-9+.-]*):/i;
const HOST =
  /^(?:\[[0-9a-f:.]+(?:%25[^\]]*)?\]|(?:[\w!$&'()*+,;=.~"<>-]|%[89a-f][0-9a-f]|[\u0080-\u{10ffff}])*)(?::\d*)?$/iu;
const USER = /^(?:[\w.~!$&'()*+,;=:@-]|%[0-9a-f]{2})*$/i;
export const BAD_ESCAPE = /%(?![0-9a-f]{2})/i;

/**
 * The target of a request line or of `:path`, read as Go's `url.ParseRequestURI` reads it: nothing is normalised, so that
 * `//healthz` and `/x/../healthz` are neither `/healthz`. Undefined where Go's server answers 400.
 */
export function parseTarget(method: string, raw: string): RequestTarget | undefined {
  if (raw === '' || CONTROL.test(raw)) return undefined;
  if (raw === '*') return target('*', '');
  // CONNECT names only an authority.
  if (method === 'CONNECT' && !raw.startsWith('/')) return parseRest(`//${raw}`, true);
  const scheme = SCHEME.exec(raw)?.[0] ?? '';
  if (scheme === '' && raw.startsWith(':')) return undefined;
  return parseRest(raw.slice(scheme.length), scheme !== '');
}

function parseRest(rest: string, absolute: boolean): RequestTarget | undefined {
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  let path = mark < 0 ? rest : rest.slice(0, mark);
  if (!path.startsWith('/')) return absolute ? target('', query) : undefined;
  if (absolute && path.startsWith('//')) {
    const slash = path.indexOf('/', 2);
    if (!isAuthority(path.slice(2, slash < 0 ? undefined : slash))) return undefined;
    path = slash < 0 ? '' : path.slice(slash);
  }
  return BAD_ESCAPE.test(path) ? undefined : target(unescapeBytes(path), query);
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf('@');
  return HOST.test(authority.slice(at + 1)) && USER.test(authority.slice(0, Math.max(at, 0)));
}

function target(path: string, query: string): RequestTarget {
  return { path, query: new URLSearchParams(query) };
}

/** Decodes percent-encoded bytes; what they are not valid UTF-8 for becomes U+FFFD, as in Go's JSON. */
export function unescapeBytes(text: string): string {
  if (!text.includes('%')) return text;
  const pieces = text.split(/%([0-9a-f]{2})/i);
  return Buffer.concat(
    pieces.map((piece, index) => (index % 2 === 0 ? Buffer.from(piece) : Buffer.from(piece, 'hex'))),
  ).toString();
}
