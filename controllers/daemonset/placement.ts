import type { DaemonSet, Node, PodTemplateSpec } from '#pkg/api';

import {
  type NodePredicate,
  type Taint,
  type Toleration,
  compileNodeAffinity,
  untolerated,
} from '../internal/placement/index.ts';
import { daemonTolerations } from './template.ts';

export interface Verdict {
  /** A Pod is to be made where there is none. */
  readonly shouldRun: boolean;
  /** One that is there may stay: a taint that came later drives none out unless it says so. */
  readonly mayStay: boolean;
}

const RUN: Verdict = { shouldRun: true, mayStay: true };
const STAY: Verdict = { shouldRun: false, mayStay: true };
const LEAVE: Verdict = { shouldRun: false, mayStay: false };

interface Compiled {
  readonly selects: NodePredicate;
  readonly tolerations: readonly Toleration[];
}

/** Where DaemonSets run (`NodeShouldRunDaemonPod` in `pkg/controller/daemon`). Templates are compiled once. */
export class Placement {
  readonly #compiled = new WeakMap<PodTemplateSpec, Compiled>();
  readonly #comparison: boolean;

  /** `comparison`: the gate TaintTolerationComparisonOperators. */
  constructor({ comparison }: { readonly comparison: boolean }) {
    this.#comparison = comparison;
  }

  verdict({ spec }: DaemonSet, node: Node): Verdict {
    const template = spec!.template;
    const fixed = template.spec?.nodeName;
    if (fixed && fixed !== node.metadata.name) return LEAVE;
    const { selects, tolerations } = this.#compile(template);
    if (!selects(node)) return LEAVE;
    const { taints } = node.spec ?? {};
    if (!taints?.length) return RUN;
    const options = { comparison: this.#comparison };
    if (!untolerated(taints, tolerations, keepsOut, options)) return RUN;
    return untolerated(taints, tolerations, drivesOut, options) ? LEAVE : STAY;
  }

  #compile(template: PodTemplateSpec): Compiled {
    let compiled = this.#compiled.get(template);
    if (!compiled) {
      compiled = { selects: compileNodeAffinity(template.spec), tolerations: daemonTolerations(template.spec) };
      this.#compiled.set(template, compiled);
    }
    return compiled;
  }
}

const drivesOut = ({ effect }: Taint): boolean => effect === 'NoExecute';
const keepsOut = (taint: Taint): boolean => taint.effect === 'NoSchedule' || drivesOut(taint);
