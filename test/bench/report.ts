export interface Figure {
  readonly bench: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** The same figure of what we are compared with. */
  readonly against?: number;
  /** `value / against`: below 1 is less. */
  readonly ratio?: number;
}

/** Prints one figure as one JSON line. */
export function figure(one: Figure): void {
  const rounded = { ...one, value: round(one.value), ...(one.against === undefined ? {} : { against: round(one.against) }) };
  console.log(JSON.stringify(one.ratio === undefined ? rounded : { ...rounded, ratio: round(one.ratio) }));
}

/** Three significant digits are all that a measurement holds. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
