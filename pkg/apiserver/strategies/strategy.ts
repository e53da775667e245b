import type { JsonObject } from '../json.ts';

export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What some kinds take from the request. */
export interface PrepareContext {
  /** RFC 3339. */
  readonly time?: string;
  readonly user?: UserInfo;
}

export interface Strategy {
  /** The parts whose change counts the generation up; undefined where the kind has none. */
  readonly generation?: readonly string[];
  readonly keepsStatusOnCreate?: boolean;
  readonly create?: (object: JsonObject, context: PrepareContext) => void;
  readonly update?: (object: JsonObject, old: JsonObject, context: PrepareContext) => void;
  readonly subresources?: Readonly<
    Record<string, (object: JsonObject, old: JsonObject, context: PrepareContext) => void>
  >;
}
