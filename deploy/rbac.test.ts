import { expect, test } from 'vitest';

import { controllerDefinitions } from '../controllers/registry.ts';
import { render, written } from './rbac.ts';

test('the manifest is what the controllers declare; node deploy/rbac.ts writes it', () => {
  expect(written()).toBe(render(controllerDefinitions));
});
