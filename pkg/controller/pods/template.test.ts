import { expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { podTemplate, replicaSet } from '#pkg/testing';

import { podFromTemplate, podNamePrefix } from './template.ts';

test.each([
  ['web', 'web-'],
  ['web.example', 'web.example-'],
  ['a', 'a-'],
  ['w'.repeat(253), `${'w'.repeat(253)}-`],
  ['w'.repeat(254), 'w'.repeat(254)],
  ['No_Name', 'No_Name'],
  ['', ''],
])('names of %j begin with %j', (name, prefix) => expect(podNamePrefix(name)).toBe(prefix));

test('a Pod takes labels, annotations, finalizers and spec from the template, and nothing else', () => {
  const template = podTemplate('app:v1', { app: 'web' });
  const metadata = {
    ...template.metadata,
    annotations: { a: 'b' },
    finalizers: ['example.com/x'],
    name: 'ignored',
    namespace: 'ignored',
  };
  const made = podFromTemplate({ ...template, metadata }, replicaSet(), resources.replicaSets);
  expect(made).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'web-1-',
      namespace: 'default',
      labels: { app: 'web' },
      annotations: { a: 'b' },
      finalizers: ['example.com/x'],
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web-1',
          uid: 'uid-web-1',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: template.spec,
  });
});

test('a template without labels makes Pods that nobody would find', () => {
  expect(() => podFromTemplate(podTemplate('app:v1', {}), replicaSet(), resources.replicaSets)).toThrow(
    'unable to create pods, no labels',
  );
});
