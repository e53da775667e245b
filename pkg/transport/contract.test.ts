import { type TestServerOptions, type TransportHarness, startTestServer, transportContract } from '#pkg/testing';

import { type HttpTransportOptions, createHttpTransport } from './http-transport.ts';

function harness(server: TestServerOptions, transport: Partial<HttpTransportOptions> = {}) {
  return async (handler: Parameters<typeof startTestServer>[0]): Promise<TransportHarness> => {
    const started = await startTestServer(handler, server);
    const made = createHttpTransport({
      server: started.url,
      tls: { ca: { data: started.authority.certificate } },
      environment: {},
      ...transport,
    });
    return {
      transport: made,
      async close() {
        await made.close();
        await started.close();
      },
    };
  };
}

transportContract('HTTP/2', harness({ protocol: 'h2' }));
transportContract('HTTP/2 with few streams a connection', harness({ protocol: 'h2', maxConcurrentStreams: 20 }));
transportContract('HTTP/2, asking for gzip', harness({ protocol: 'h2' }, { compression: true }));
transportContract('HTTP/1.1 over TLS, by ALPN', harness({ protocol: 'https' }));
transportContract('HTTP/1.1 over TLS, by choice', harness({ protocol: 'h2' }, { protocol: 'http1' }));
transportContract('HTTP/1.1 in clear', harness({ protocol: 'http' }));
