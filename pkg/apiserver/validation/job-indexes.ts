export type IndexRange = readonly [first: number, last: number];

/** The ranges of `0-3,5`, or what is wrong with it (`validateIndexesFormat` in `pkg/apis/batch/validation`). */
export function readIndexes(text: string, completions: number): readonly IndexRange[] | string {
  if (text === '') return [];
  const ranges: IndexRange[] = [];
  for (const part of text.split(',')) {
    const limits = part.split('-');
    if (limits.length > 2)
      return `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`;
    const wrong = limits.find((limit) => !/^\d+$/.test(limit));
    if (wrong !== undefined) return `cannot convert string to integer for index: "${wrong}"`;
    const [first, last = first] = limits.map(Number) as [number, number?];
    if (first >= completions || last >= completions)
      return `too large index: "${limits[first >= completions ? 0 : 1]}"`;
    if (limits.length === 2 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
    const previous = ranges.at(-1)?.[1];
    if (previous !== undefined && previous >= first)
      return `non-increasing order, previous: ${previous}, current: ${first}`;
    ranges.push([first, last]);
  }
  return ranges;
}
