import { type ObjectKey, type Pod, type PodDisruptionBudget, isConflict, isNotFound, keyOf } from '#pkg/api';
import { describeError, semanticEqual } from '#pkg/base';
import { type ControllerContext, Debounce, type ReconcileResult } from '#pkg/controller';

import { type Plan, decide, failSafe } from './decide.ts';
import { type Gathering, gather, podsOf } from './read.ts';
import { PATIENCE, mayWait } from './delay.ts';
import { selectorText } from './selector-text.ts';
import type { BudgetStatus, ExpectedScale, Report } from './snapshot.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'recorder' | 'clock' | 'log'>;
  readonly gathering: Gathering;
}

/** Keeps the status of one budget at what its Pods call for. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #debounce = new Debounce(PATIENCE);

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** The budget is gone. */
  forget(budget: PodDisruptionBudget): void {
    this.#options.gathering.sightings.forget(keyOf(budget));
    this.#debounce.end(keyOf(budget));
  }

  /**
   * Where the status can't be decided or written, it is made to allow no disruption, and the key comes back with growing
   * delay. Not after a conflict: then somebody else has just written it, an eviction for one, and the next look will see.
   */
  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const budget = this.#options.gathering.budgets.lister.get(key);
    if (!budget) return undefined;
    try {
      const { status, notDeleted, recheckAfter } = await this.#decide(budget, signal);
      const left = this.#left(budget, status);
      if (left > 0) return { requeueAfter: Math.min(left, recheckAfter ?? left) };
      for (const pod of notDeleted) this.#reportNotDeleted(budget, pod);
      await this.#write(budget, status, signal);
      return recheckAfter === undefined ? undefined : { requeueAfter: recheckAfter };
    } catch (error) {
      signal.throwIfAborted();
      if (isConflict(error)) throw error;
      // The budget itself: whoever asks for other things knows what it means.
      if (isNotFound(error)) return undefined;
      await this.#write(budget, failSafe(budget, describeError(error), this.#options.context.clock.now()), signal);
      throw error;
    }
  }

  /** How much longer the status may wait, ms. */
  #left(budget: PodDisruptionBudget, status: BudgetStatus): number {
    const key = keyOf(budget);
    const left =
      !isNews(budget, status) || !mayWait(budget, status)
        ? 0
        : this.#debounce.remaining(key, this.#options.context.clock.monotonic());
    if (left === 0) this.#debounce.end(key);
    return left;
  }

  async #decide(budget: PodDisruptionBudget, signal: AbortSignal): Promise<Plan> {
    const { gathering } = this.#options;
    const pods = this.#podsOf(budget);
    try {
      const snapshot = await gather(budget, pods, gathering, signal);
      const plan = decide(snapshot);
      if (pods.length === 0 && isNews(budget, plan.status))
        this.#report(budget, { type: 'Normal', reason: 'NoPods', message: 'No matching pods found' });
      this.#reportUnmanaged(budget, snapshot.scale);
      return plan;
    } catch (error) {
      const message = `Failed to calculate the number of expected pods: ${describeError(error)}`;
      if (!signal.aborted)
        this.#report(budget, { type: 'Warning', reason: 'CalculateExpectedPodCountFailed', message });
      throw error;
    }
  }

  #podsOf(budget: PodDisruptionBudget): readonly Pod[] {
    try {
      return podsOf(budget, this.#options.gathering);
    } catch (error) {
      this.#report(budget, {
        type: 'Warning',
        reason: 'NoPods',
        message: `Failed to get pods: ${describeError(error)}`,
      });
      throw error;
    }
  }

  #reportUnmanaged(budget: PodDisruptionBudget, scale: ExpectedScale | undefined): void {
    if (!scale || scale.unmanaged.length === 0) return;
    this.#options.context.log
      .v(4)
      ?.info('Found unmanaged pods', { podDisruptionBudget: keyOf(budget), pods: scale.unmanaged });
    const message =
      `Pods selected by this PodDisruptionBudget (selector: ${selectorText(budget.spec?.selector)}) were found ` +
      'to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. ' +
      'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
    this.#report(budget, { type: 'Warning', reason: 'UnmanagedPods', message });
  }

  /** Upstream names the namespace where the budget's name was meant. */
  #reportNotDeleted({ metadata: { namespace } }: PodDisruptionBudget, pod: Pod): void {
    const message = `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`;
    this.#options.context.recorder.event(pod, 'Warning', 'NotDeleted', message);
  }

  #report(budget: PodDisruptionBudget, { type, reason, message }: Report): void {
    this.#options.context.recorder.event(budget, type, reason, message);
  }

  /** Nothing where the status says so already. */
  async #write(budget: PodDisruptionBudget, status: BudgetStatus, signal: AbortSignal): Promise<void> {
    if (!isNews(budget, status)) return;
    await this.#options.gathering.budgets.updateStatus({ ...budget, status }, { metadataOnly: true, signal });
  }
}

function isNews({ status }: PodDisruptionBudget, after: BudgetStatus): boolean {
  return !semanticEqual(status ?? {}, after);
}
