import { ownValue } from '#pkg/base';

const FORM = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;
const STAGES: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

/** The order in which discovery prefers versions: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, foo1, foo10. */
export function compareVersions(a: string, b: string): number {
  const left = FORM.exec(a);
  const right = FORM.exec(b);
  if (left === null || right === null) {
    if (left !== null) return -1;
    if (right !== null) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return (
    stage(right) - stage(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}

function stage(match: RegExpExecArray): number {
  return match[2] === undefined ? 2 : ownValue(STAGES, match[2])!;
}
