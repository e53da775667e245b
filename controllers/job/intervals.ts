/** From `first` to `last`, both included. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** Indexes in ascending, disjoint intervals that do not touch: `0-3,5`. A Job may have a hundred thousand of them. */
export type Intervals = readonly Interval[];

/**
 * Reads what {@link formatIntervals} wrote, leaving out indexes from `completions` on. What cannot be read is left out,
 * too: a status is no place to fail on.
 */
export function parseIntervals(text: string | undefined, completions: number): Intervals {
  if (text === undefined || text === '') return [];
  const result: Interval[] = [];
  for (const part of text.split(',')) {
    const [first, last = first] = part.split('-').map(parseIndex);
    if (first === undefined || Number.isNaN(first) || last === undefined || Number.isNaN(last)) continue;
    if (first >= completions) break;
    push(result, { first, last: Math.min(last, completions - 1) });
  }
  return result;
}

function parseIndex(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** `1,3-5,7`; two neighbours stand alone: `1,2`. */
export function formatIntervals(intervals: Intervals): string {
  return intervals
    .map(({ first, last }) => {
      if (first === last) return String(first);
      return `${first}${last === first + 1 ? ',' : '-'}${last}`;
    })
    .join(',');
}

/** `indexes` in any order, repeated or not. */
export function intervalsOf(indexes: Iterable<number>): Intervals {
  const result: Interval[] = [];
  for (const index of [...indexes].toSorted((a, b) => a - b)) push(result, { first: index, last: index });
  return result;
}

export function union(...many: readonly Intervals[]): Intervals {
  const result: Interval[] = [];
  for (const interval of many.flat().toSorted((a, b) => a.first - b.first)) push(result, interval);
  return result;
}

/** Adds an interval that begins no earlier than the last one; joined to it where they touch. */
function push(intervals: Interval[], next: Interval): void {
  const last = intervals.at(-1);
  if (last === undefined || next.first > last.last + 1) intervals.push(next);
  else if (next.last > last.last) intervals[intervals.length - 1] = { first: last.first, last: next.last };
}

export function countIndexes(intervals: Intervals): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export function hasIndex(intervals: Intervals, index: number): boolean {
  let [low, high] = [0, intervals.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle]!.last >= index) high = middle;
    else low = middle + 1;
  }
  return low < intervals.length && intervals[low]!.first <= index;
}

/** How many indexes are in both. */
export function countCommon(a: Intervals, b: Intervals): number {
  let count = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [left, right] = [a[i]!, b[j]!];
    count += Math.max(0, Math.min(left.last, right.last) - Math.max(left.first, right.first) + 1);
    if (left.last < right.last) i++;
    else j++;
  }
  return count;
}

/** The lowest `count` indexes below `completions` that are not in `taken`. */
export function firstMissing(taken: Intervals, count: number, completions: number): number[] {
  const result: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    const end = Math.min(first, completions);
    while (candidate < end && result.length < count) result.push(candidate++);
    candidate = Math.max(candidate, last + 1);
    if (result.length === count) break;
  }
  return result;
}
