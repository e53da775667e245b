import type { JsonObject } from '../json.ts';
import type { Column } from './definition.ts';
import type { Structural } from './structural.ts';

/** One version of a custom kind, with all that its definition says of its objects. */
export interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly structural: Structural;
  readonly preserveUnknownFields: boolean;
  readonly hasStatus: boolean;
  readonly scale?: Readonly<JsonObject>;
  readonly columns: readonly Column[];
}
