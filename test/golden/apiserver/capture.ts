/**
 * Records what a real API server answers to the scenarios, as the yardstick of the embedded one. Run by hand against a fresh
 * control plane of the reference version, with its kubeconfig:
 *
 *     KUBECONFIG=/some/kubeconfig node test/golden/apiserver/capture.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { load } from 'js-yaml';
import { type Answer, type Step, namespaceOf, scenarios } from './scenarios.ts';

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

function send(step: Step): Promise<Answer> {
  const body =
    step.body === undefined ? undefined : typeof step.body === 'string' ? step.body : JSON.stringify(step.body);
  const headers = {
    accept: step.accept ?? 'application/json',
    'content-type': step.type ?? 'application/json',
    'user-agent': step.agent ?? 'golden/1',
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${cluster.server}${step.path}`, { ...tls, method: step.verb, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const warnings = response.headersDistinct['warning'] ?? [];
        const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
        resolve({
          code: response.statusCode ?? 0,
          ...(warnings.length === 0 ? {} : { warnings }),
          body: withoutAccidents(answer),
        });
      });
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What differs from one run to the next, and texts for people that nothing depends on. */
const ACCIDENTS = new Set(['resourceVersion', 'creationTimestamp', 'description']);

function withoutAccidents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAccidents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, child]) =>
          !((ACCIDENTS.has(key) && typeof child === 'string') || (key === 'uid' && 'creationTimestamp' in value)),
      )
      .map(([key, child]) => [key, withoutAccidents(child)]),
  );
}

const recorded: Record<string, Answer[]> = {};
for (const scenario of scenarios) {
  const namespace = namespaceOf(scenario);
  await send({ verb: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  recorded[scenario.name] = [];
  for (const step of scenario.steps(namespace)) recorded[scenario.name]!.push(await send(step));
}
const lines = Object.entries(recorded).map(
  ([name, answers]) => `${JSON.stringify(name)}: [\n${answers.map((one) => JSON.stringify(one)).join(',\n')}\n]`,
);
writeFileSync(new URL('answers.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`);
