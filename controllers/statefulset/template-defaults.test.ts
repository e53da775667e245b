import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import type { PodTemplateSpec, StatefulSet } from '#pkg/api';

import { withTemplateDefaults } from './template-defaults.ts';

const file = new URL('../../test/golden/controller-revisions.json', import.meta.url);
const golden = (JSON.parse(readFileSync(file, 'utf8')) as readonly { readonly set: StatefulSet }[]).map(
  ({ set }) => set,
);
const DEFAULTED = new Set([
  'dnsPolicy',
  'restartPolicy',
  'schedulerName',
  'terminationGracePeriodSeconds',
  'imagePullPolicy',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
  'defaultMode',
  'protocol',
  'scheme',
  'path',
  'expirationSeconds',
  'apiVersion',
  'volumeMode',
  'service',
]);

/** The template without members that are defaults, as far as their values say so. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const isDefault = (key: string, member: unknown): boolean =>
    DEFAULTED.has(key) &&
    [
      'ClusterFirst',
      'Always',
      'IfNotPresent',
      'default-scheduler',
      30,
      1,
      10,
      3,
      '/dev/termination-log',
      'File',
      420,
      'TCP',
      'HTTP',
      '/',
      3600,
      'v1',
      'Filesystem',
      '',
    ].includes(member as string);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !isDefault(key, member))
      .map(([key, member]) => [key, stripped(member)]),
  );
}

const templates = golden.map((set) => [set.metadata.name, set.spec!.template] as const);

test.each(templates)('%s has all that the API server filled in', (_name, template) => {
  expect(withTemplateDefaults(template)).toEqual(template);
});

// A sidecar's restart policy, which `rich` has, is no default.
test.each(templates.filter(([name]) => name !== 'rich'))('%s gets back what is taken off it', (_name, template) => {
  expect(withTemplateDefaults(stripped(template) as PodTemplateSpec)).toEqual(template);
});
