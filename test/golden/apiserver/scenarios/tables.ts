import type { Scenario } from '../scenarios.ts';

export const tables: readonly Scenario[] = [];
