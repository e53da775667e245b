import type { StringMap } from '#pkg/api';

const MODE = 'service.kubernetes.io/topology-mode';
/** Its former name, which goes first where both are set. */
const FORMER_MODE = 'service.kubernetes.io/topology-aware-hints';

/** The Service asks for topology aware hints (KEP-2433). */
export function usesTopologyAnnotation(annotations: StringMap = {}): boolean {
  const mode = annotations[FORMER_MODE] ?? annotations[MODE];
  return mode === 'Auto' || mode === 'auto';
}
