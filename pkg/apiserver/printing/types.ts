import type { JsonObject } from '../json.ts';

export interface Printer {
  /**
   * The columns after the name, apart by bars. `*` only with `-o wide`; `#` an integer and `?` a boolean instead of text. A
   * leading `!` says that the list is whole: there is no name in front.
   */
  readonly columns: string;
  /** The cells of those columns. `age` is that of the object. */
  readonly cells: (object: JsonObject, age: string, now: number) => unknown[];
  /** How the name is printed, where not as it is. */
  readonly name?: (object: JsonObject, name: string) => string;
  readonly conditions?: (object: JsonObject) => JsonObject[] | undefined;
}

export type Printers = Readonly<Record<string, Printer>>;
