/**
 * The hash that upstream makes of a Pod template: FNV-1a over the text in which Go prints the template
 * (`dump.ForHash` of `k8s.io/utils`). ReplicaSets of Deployments and revisions of DaemonSets are named by it.
 *
 *     const hash = templateHash(deployment.spec!.template, deployment.status?.collisionCount);
 *
 * The revisions of StatefulSets are hashed by their data instead (`internal/history`).
 */
export { templateHash } from './template-hash.ts';
