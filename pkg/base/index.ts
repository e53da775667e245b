/**
 * What everything stands on: time, randomness, durations, back-off, a heap, hashing, equality, errors. No I/O and no domain.
 *
 * Time and randomness are passed in wherever they are used; only `systemClock` and `systemRandom` touch the machine.
 */
export { Backoff, type BackoffConfig } from './backoff.ts';
export { type Clock, type Timer, formatMicroTime, formatTime, parseTime, sleep, systemClock } from './clock.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { deepFreeze, semanticEqual } from './equality.ts';
export {
  ExactInteger,
  compareIntegers,
  exactInteger,
  isNumber,
  nextInteger,
  parseJson,
  toBigInt,
} from './exact-json.ts';
export { CodedError, describeError, isAbort } from './errors.ts';
export { fnv128a, fnv32, fnv32a } from './hash.ts';
export { parseGoInteger, parseInt32, parseNatural32 } from './go-integers.ts';
export { Heap } from './heap.ts';
/** Texts alone: they touch no network. */
export { isIPv4, isIPv6 } from 'node:net';
export { yamlProblem } from './yaml-problem.ts';
export { ownValue, setOwnValue } from './own-values.ts';
export { type Random, jitter, randomNameSuffix, safeEncode, seededRandom, systemRandom } from './random.ts';
