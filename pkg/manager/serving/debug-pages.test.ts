import { expect, test } from 'vitest';

import type { Controller } from '#pkg/controller';

import { DebugPages } from './debug-pages.ts';

const controller: Controller = {
  name: 'example-controller',
  run: () => Promise.resolve(),
  debug: (path, query) =>
    path === '/state' ? { status: 200, headers: {}, body: `state of ${query.get('of')}` } : undefined,
};

test.each([
  ['/debug/controllers/example-controller/state?of=it', 200, 'state of it'],
  ['/debug/controllers/example-controller/other', 404, '\n'],
  ['/debug/controllers/example-controller', 404, '\n'],
  ['/debug/controllers/silent-controller/state', 404, '404 page not found\n'],
  ['/debug/controllers/other-controller', 404, '404 page not found\n'],
  ['/debug/controllers/', 404, '404 page not found\n'],
])('%s answers %i', async (target, status, body) => {
  const pages = new DebugPages();
  pages.show([controller, { name: 'silent-controller', run: () => Promise.resolve() }]);
  const { pathname: path, searchParams: query } = new URL(target, 'https://localhost');
  expect(await pages.answer({ path, query })).toMatchObject({ status, body });
});
