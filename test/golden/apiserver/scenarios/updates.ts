import type { Scenario } from '../scenarios.ts';

export const updates: readonly Scenario[] = [];
