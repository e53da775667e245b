import type { ApiServer } from '#pkg/apiserver';

import type { ProtocolStep } from './steps.ts';

/** Sends a recorded step to an embedded server as its admin. `answering` runs while the body
 * is read: a watch ends by the clock. */
export async function sendInProcess(
  server: Pick<ApiServer, 'inProcessTransport'>,
  { verb, path, body, headers }: ProtocolStep,
  answering: () => Promise<void> = async () => {},
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const transport = server.inProcessTransport({ name: 'admin', groups: ['system:masters'] });
  const sent = { accept: 'application/json', 'user-agent': 'golden/1', ...headers };
  const response = await transport.roundTrip({
    method: verb,
    path,
    headers: sent,
    ...(body === undefined ? {} : { body: body as string }),
  });
  const text = readAll(response.body);
  await answering();
  return { status: response.status, headers: { ...response.headers }, text: await text };
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
