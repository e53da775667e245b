import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { load } from 'js-yaml';
import { expect, test } from 'vitest';

import { controllerDefinitions } from '../controllers/registry.ts';

const text = readFileSync(join(import.meta.dirname, 'manifests/deployment.yaml'), 'utf8');
const { spec } = load(text) as {
  spec: { template: { spec: { containers: readonly { readonly args: readonly string[] }[] } } };
};
const FLAG = '--controllers=';
const named = spec.template.spec.containers[0]!.args.filter((arg) => arg.startsWith(FLAG)).flatMap((arg) =>
  arg.slice(FLAG.length).split(','),
);

test('name every controller that is here and on by default', () => {
  const here = controllerDefinitions.filter(({ enabledByDefault }) => enabledByDefault).map(({ name }) => name);
  expect(named).toEqual(here.toSorted());
});

test('say how the manager that is there is started without them', () => {
  const comment = text.slice(0, text.indexOf('apiVersion:'));
  const flag = /--controllers=[^\n\\]*(?:\\\n#\s+[^\n\\]*)*/.exec(comment)![0].replaceAll(/\\\n#\s+/g, '');
  expect(flag.slice(FLAG.length).split(',')).toEqual([
    '*',
    'bootstrap-signer-controller',
    'token-cleaner-controller',
    ...named.map((name) => `-${name}`),
  ]);
});
