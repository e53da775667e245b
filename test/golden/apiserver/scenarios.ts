import { applies } from './scenarios/applies.ts';
import { creates } from './scenarios/creates.ts';
import { refusals } from './scenarios/refusals.ts';
import { tables } from './scenarios/tables.ts';
import { updates } from './scenarios/updates.ts';

export interface Step {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Content type; JSON. */
  readonly type?: string;
  readonly accept?: string;
  /** User agent, of which the first word names the field manager. */
  readonly agent?: string;
}

/** Requests that are sent one after the other, in a namespace of their own. */
export interface Scenario {
  readonly name: string;
  readonly steps: (namespace: string) => readonly Step[];
}

export interface Answer {
  readonly code: number;
  readonly warnings?: readonly string[];
  readonly body: unknown;
}

export const scenarios: readonly Scenario[] = [...creates, ...refusals, ...updates, ...applies, ...tables];

export function namespaceOf(scenario: Scenario): string {
  const name = scenario.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `g-${name}`.slice(0, 63).replace(/-+$/, '');
}
