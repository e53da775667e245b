import type { ProtocolAnswer, ProtocolStep } from './steps.ts';

/** What is of the run and not of the protocol. Managed fields are held against the original elsewhere. */
const DROPPED = new Set(['managedFields', 'time', 'description', 'credential-id']);
const RUN_VALUES: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/g-[a-z0-9]{5}$/g, 'g-<generated>'],
  [/\b10\.(?:0|96)\.\d+\.\d+\b/g, '<address>'],
  [/in record \(\d+\)/g, 'in record (<revision>)'],
  [/^\d+[smh](\d+s)?$/g, '<age>'],
];

/** The answer without what differs from run to run. */
export function normalize(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => normalize(item, key));
  if (typeof value === 'string') {
    if (['uid', 'resourceVersion', 'continue'].includes(key)) return value === '' ? '' : `<${key}>`;
    return RUN_VALUES.reduce((text, [pattern, name]) => text.replace(pattern, name), value);
  }
  if (key === 'nodePort') return '<port>';
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => !DROPPED.has(name));
  return Object.fromEntries(entries.map(([name, child]) => [name, normalize(child, name)]));
}

/** Sends the steps in order, with the values that earlier answers gave. */
export async function play(
  steps: readonly ProtocolStep[],
  send: (
    step: ProtocolStep,
  ) => Promise<{ status: number; headers: Readonly<Record<string, string | undefined>>; text: string }>,
): Promise<ProtocolAnswer[]> {
  const saved = new Map<string, string>();
  const answers: ProtocolAnswer[] = [];
  const fill = (text: string): string => text.replace(/\$([A-Z]+)/g, (whole, name: string) => saved.get(name) ?? whole);
  for (const step of steps) {
    const body =
      step.body === undefined ? undefined : fill(typeof step.body === 'string' ? step.body : JSON.stringify(step.body));
    const { status, headers, text } = await send({
      ...step,
      path: fill(step.path),
      ...(body === undefined ? {} : { body }),
    });
    const parsed = parse(text);
    for (const [name, path] of Object.entries(step.save ?? {})) saved.set(name, String(at(parsed, path)));
    answers.push({
      code: status,
      ...(headers['content-type'] === undefined ? {} : { contentType: headers['content-type'] }),
      ...(headers['warning'] === undefined ? {} : { warning: headers['warning'] }),
      ...(headers['retry-after'] === undefined ? {} : { retryAfter: headers['retry-after'] }),
      body: normalize(parsed),
    });
  }
  return answers;
}

function parse(text: string): unknown {
  const lines = text.split('\n').filter((line) => line !== '');
  try {
    return lines.length > 1 && lines[0]!.startsWith('{"type"')
      ? lines.map((line) => JSON.parse(line) as unknown)
      : JSON.parse(text);
  } catch {
    return text;
  }
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], value);
}
