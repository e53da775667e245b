import { ownValue } from '#pkg/base';
import type { Resource } from '../registry/registry.ts';

/** Built-in types that are deprecated in this release, and what to use instead (`pkg/apis/core/v1` life cycles). */
const DEPRECATED: Readonly<Record<string, string>> = {
  'v1 ComponentStatus': 'v1.19+',
  'v1 Endpoints': 'v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

/** Sent as a warning with every answer about the resource; undefined where it is there to stay. */
export function deprecationOf({
  apiVersion,
  kind,
  custom,
}: Pick<Resource, 'apiVersion' | 'kind' | 'custom'>): string | undefined {
  if (custom) return custom.warning;
  const since = ownValue(DEPRECATED, `${apiVersion} ${kind}`);
  return since === undefined ? undefined : `${apiVersion} ${kind} is deprecated in ${since}`;
}
