import { type Client, createClient } from '#pkg/client';
import { createHttpTransport, loadClientConfig } from '#pkg/transport';

export interface TestClient {
  readonly client: Client;
  close(): Promise<void>;
}

/** A client with connections of its own and no rate limit. */
export async function createTestClient(kubeconfig: string): Promise<TestClient> {
  const transport = createHttpTransport(await loadClientConfig({ kubeconfig }));
  return { client: createClient({ transport, userAgent: 'test', qps: -1 }), close: () => transport.close() };
}
