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

/** Prints one figure for people, and as one JSON line for programs. */
export function figure(one: Figure): void {
  const { bench, figure: name, unit, ratio } = one;
  const against = one.against === undefined ? '' : `   against ${round(one.against)} ${unit}`;
  const share =
    ratio === undefined || ratio === 0 ? '' : ratio < 1 ? `: 1/${round(1 / ratio)}` : `: ${round(ratio)} times`;
  console.log(`${bench}  ${name}: ${round(one.value)} ${unit}${against}${share}`);

  const rounded = {
    ...one,
    value: round(one.value),
    ...(one.against === undefined ? {} : { against: round(one.against) }),
  };
  console.log(JSON.stringify(ratio === undefined ? rounded : { ...rounded, ratio: round(ratio) }));
}

/** Three significant digits are all that a measurement holds. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}

export interface Cost {
  /** User and system, of this process, ms. */
  readonly cpu: number;
  /** ms */
  readonly wall: number;
}

/** What `work` costs this process. */
export async function costOf(work: () => Promise<void> | void): Promise<Cost> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1000, wall: performance.now() - start };
}
