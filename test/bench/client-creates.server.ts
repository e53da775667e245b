import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { testAuthority } from '#pkg/testing';

/**
 * The far side of `client-creates`: answers every create with what was sent, as an API server would, over HTTP/2 or
 * HTTP/1.1. A process of its own, so that its cost is not counted. Says where it is, and whom to trust, on its first line.
 */
const authority = await testAuthority();
const { certificate, key } = await authority.issue({ commonName: 'bench', addresses: ['127.0.0.1'] });
const server = createSecureServer({ cert: certificate, key, allowHTTP1: true }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(Buffer.concat(chunks));
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port, ca: authority.certificate }));
});
process.once('disconnect', () => process.exit());
