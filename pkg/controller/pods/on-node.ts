import type { Pod } from '#pkg/api';
import type { Lister, SharedInformer } from '#pkg/cache';

const NODE_INDEX = 'node';

function byNode({ spec }: Pod): readonly string[] {
  return spec?.nodeName ? [spec.nodeName] : [];
}

/** To be called in `create` by whoever looks for the Pods of a node; it reads `spec.nodeName`. */
export function indexPodsByNode(pods: Pick<SharedInformer<Pod>, 'addIndex'>): void {
  pods.addIndex(NODE_INDEX, byNode);
}

/** Pods that are assigned to the node, whether it is there or not. */
export function podsOnNode(pods: Pick<Lister<Pod>, 'byIndex'>, node: string): readonly Pod[] {
  return pods.byIndex(NODE_INDEX, node);
}
