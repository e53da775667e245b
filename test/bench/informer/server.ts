/**
 * A dummy API server in its own process: one collection of pre-built bytes, listed (whole or in pages), streamed and
 * watched, over HTTP/2 and HTTP/1.1 alike, so that both clients are served by the same code. Argument: what to serve, as
 * JSON (`Content`). Prints its address as one JSON line. POST /bench/touch?count=n sends n updates to the open watches.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Http2ServerRequest, type Http2ServerResponse, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { Authority } from '../../harness/certificates.ts';
import { configMapJson, metadataJson, podJson } from './objects.ts';

interface Content {
  readonly kind: 'Pod' | 'ConfigMap';
  readonly count: number;
  /** Of data, in a ConfigMap. */
  readonly bytes?: number;
}

/** Both have these, with signatures that do not unify. */
type Answer = Pick<ServerResponse, 'end' | 'write' | 'writeHead' | 'setHeader' | 'once'>;

const content = JSON.parse(process.argv[2]!) as Content;
const resource = content.kind === 'Pod' ? 'pods' : 'configmaps';
let version = 1000;

const build = (index: number, resourceVersion: number): object =>
  content.kind === 'Pod' ? podJson(index, resourceVersion) : configMapJson(index, resourceVersion, content.bytes ?? 0);
const objects = Array.from({ length: content.count }, (_, index) => JSON.stringify(build(index, ++version)));
/** In a watch every object names its kind; in a list the list does. */
const event = (type: string, object: string): string =>
  `{"type":"${type}","object":{"kind":"${content.kind}","apiVersion":"v1",${object.slice(1)}}\n`;
const partial = (object: string): string => JSON.stringify(metadataJson(JSON.parse(object) as object));
const watches = new Set<Answer>();

function list(query: URLSearchParams, metadataOnly: boolean, answer: Answer): void {
  const from = Number(query.get('continue') ?? 0);
  const limit = Number(query.get('limit') ?? 0) || objects.length;
  const end = Math.min(from + limit, objects.length);
  const items = objects.slice(from, end).map((object) => (metadataOnly ? partial(object) : object));
  const kind = metadataOnly
    ? '"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1"'
    : `"${content.kind}List","apiVersion":"v1"`;
  const token = end < objects.length ? `,"continue":"${end}"` : '';
  answer.end(`{"kind":${kind},"metadata":{"resourceVersion":"${version}"${token}},"items":[${items.join(',')}]}\n`);
}

async function watch(query: URLSearchParams, metadataOnly: boolean, answer: Answer): Promise<void> {
  if (query.get('sendInitialEvents') === 'true') {
    for (let at = 0; at < objects.length; at += 100) {
      const chunk = objects
        .slice(at, at + 100)
        .map((object) => (metadataOnly ? `{"type":"ADDED","object":${partial(object)}}\n` : event('ADDED', object)));
      if (!answer.write(chunk.join(''))) await new Promise((resolve) => answer.once('drain', resolve));
    }
    const end = `{"annotations":{"k8s.io/initial-events-end":"true"},"resourceVersion":"${version}"}`;
    answer.write(`{"type":"BOOKMARK","object":{"kind":"${content.kind}","apiVersion":"v1","metadata":${end}}}\n`);
  } else {
    answer.writeHead(200, { 'content-type': 'application/json' });
  }
  watches.add(answer);
  answer.once('close', () => watches.delete(answer));
}

async function touch(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const line = event('MODIFIED', JSON.stringify(build(i % content.count, ++version)));
    for (const answer of watches)
      if (!answer.write(line)) await new Promise((resolve) => answer.once('drain', resolve));
  }
}

function serve(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void {
  const answer = response as Answer;
  const url = new URL(request.url ?? '/', 'https://localhost');
  answer.setHeader('content-type', 'application/json');
  if (url.pathname === '/bench/touch') {
    void touch(Number(url.searchParams.get('count'))).then(() => answer.end(JSON.stringify({ version })));
    return;
  }
  if (url.pathname !== `/api/v1/${resource}`) {
    answer.writeHead(404).end('{"kind":"Status","code":404,"reason":"NotFound"}');
    return;
  }
  const metadataOnly = String(request.headers.accept).includes('as=PartialObjectMetadata');
  if (['1', 'true'].includes(url.searchParams.get('watch') ?? '')) void watch(url.searchParams, metadataOnly, answer);
  else list(url.searchParams, metadataOnly, answer);
}

const authority = await Authority.create();
const pair = await authority.issue('CN=bench', [{ type: 'ip', value: '127.0.0.1' }]);
const server = createSecureServer({ key: pair.key, cert: pair.certificate, allowHTTP1: true }, serve);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const bytes = objects.reduce((sum, object) => sum + object.length, 0);
  console.log(JSON.stringify({ server: `https://127.0.0.1:${port}`, ca: authority.certificate, bytes }));
});
// The parent is gone, or done.
process.stdin.resume().once('end', () => process.exit(0));
