/**
 * Records how a real API server answers to the steps, as the yardstick of the embedded one. Run by hand against a fresh
 * control plane of the reference version, with its kubeconfig; names of files limit it to those:
 *
 *     KUBECONFIG=/some/kubeconfig node test/golden/protocol/capture.ts [eviction-answers.json ...]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { load } from 'js-yaml';
import { customResourceSteps } from './custom-resource-steps.ts';
import { evictionSteps } from './eviction-steps.ts';
import { play } from './normalize.ts';
import { type ProtocolStep, steps } from './steps.ts';

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

const config = load(readFileSync(process.env['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig;
const { cluster } = config.clusters[0]!;
const { user } = config.users[0]!;
const decode = (text: string): Buffer => Buffer.from(text, 'base64');
const tls = {
  ca: decode(cluster['certificate-authority-data']),
  cert: decode(user['client-certificate-data']),
  key: decode(user['client-key-data']),
};

async function send({
  verb,
  path,
  body,
  headers,
  pause = 0,
}: ProtocolStep): Promise<{ status: number; headers: Record<string, string | undefined>; text: string }> {
  if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  // Node sends the body of a DELETE only where its length is said.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body as string)) };
  const sent = {
    accept: 'application/json',
    'user-agent': 'golden/1',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
    ...length,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${cluster.server}${path}`, { ...tls, method: verb, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const kept = Object.fromEntries(
          Object.entries(response.headersDistinct).map(([name, values]) => [name, values?.join(', ')]),
        );
        resolve({ status: response.statusCode ?? 0, headers: kept, text: Buffer.concat(chunks).toString('utf8') });
      });
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body as string | undefined);
  });
}

const recordings: readonly (readonly [string, readonly ProtocolStep[]])[] = [
  ['answers.json', steps],
  ['eviction-answers.json', evictionSteps],
  ['custom-resource-answers.json', customResourceSteps],
];
const wanted = process.argv.slice(2);
for (const [file, asked] of recordings) {
  if (wanted.length > 0 && !wanted.includes(file)) continue;
  const answers = await play(asked, send);
  writeFileSync(
    new URL(file, import.meta.url),
    `[\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]\n`,
  );
  process.stdout.write(`${file}: ${answers.length} answers recorded\n`);
}
