import type { Scenario } from '../scenarios.ts';

export const applies: readonly Scenario[] = [];
