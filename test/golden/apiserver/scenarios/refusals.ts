import type { Scenario } from '../scenarios.ts';

export const refusals: readonly Scenario[] = [];
