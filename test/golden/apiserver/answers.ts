import { readFileSync } from 'node:fs';
import type { Answer } from './scenarios.ts';

/** What a real API server answered to each scenario, step by step; written by `capture.ts`. */
export const answers = JSON.parse(readFileSync(new URL('answers.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, readonly Answer[]>
>;
