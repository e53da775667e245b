/**
 * Feature gates: the table of Kubernetes 1.36, and the values of one process. Gates are values that are passed on; there
 * is no global to read.
 *
 *     const gates = new FeatureGates({ values: { AllAlpha: true }, emulated: parseVersion('1.35') });
 *     if (gates.enabled('PodDeletionCost')) sortByCost(pods);
 */
export { FeatureGateError, type FeatureGateErrorCode } from './errors.ts';
export {
  FeatureGates,
  type FeatureGateOptions,
  type Gate,
  KUBERNETES_VERSION,
  describeGates,
} from './feature-gates.ts';
export type { GateFacts, GateSpec, GateTable, Stage } from './gate-table.ts';
export { type Version, compareVersions, formatVersion, parseVersion } from './version.ts';
