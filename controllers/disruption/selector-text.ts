import { ownValue } from '#pkg/base';
import type { LabelSelector, StringMap } from '#pkg/api';

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** A selector as Go prints it, which is how the event about unmanaged Pods quotes it. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil';
  const { matchLabels, matchExpressions = [] } = selector;
  return `&LabelSelector{MatchLabels:${mapText(matchLabels)},MatchExpressions:[]LabelSelectorRequirement{${matchExpressions.map(requirementText).join('')}},}`;
}

function mapText(labels: StringMap = {}): string {
  const pairs = Object.keys(labels)
    .toSorted()
    .map((key) => `${key}: ${ownValue(labels, key)},`);
  return `map[string]string{${pairs.join('')}}`;
}

function requirementText({ key, operator, values = [] }: Requirement): string {
  return `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`;
}
