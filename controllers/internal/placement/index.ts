/**
 * Which nodes a Pod may go to, by what its spec says: node selector, required node affinity, taints. Pure, and compiled
 * once for each template, so that thousands of nodes cost little. Not a scheduler: what a node has left is not asked.
 *
 *     const selects = compileNodeAffinity(template.spec);
 *     const fits = selects(node) && untolerated(node.spec?.taints, tolerations, ({ effect }) => effect !== 'PreferNoSchedule') === undefined;
 */
export { type NodePredicate, compileNodeAffinity } from './node-affinity.ts';
export { type Taint, type Toleration, tolerates, untolerated } from './tolerations.ts';
