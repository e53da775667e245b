import { parseGoInteger } from '#pkg/base';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '#pkg/api';
import type { EventType } from '#pkg/events';

import { lastRevision, revisionOf, rolledBackAnnotations, ROLLBACK_TO } from './annotations.ts';
import { allReplicaSets, type Draft, type Rollout } from './snapshot.ts';
import { POD_TEMPLATE_HASH, sameTemplate, withoutLabel } from './template.ts';

/**
 * The revision that the annotation `deprecated.deployment.rollback.to` asks for; 0 is the last one. Nothing where it is
 * missing or no number. (It carries `spec.rollbackTo` of the API versions of old; `kubectl rollout undo` does not use it.)
 */
export function rollbackTarget(deployment: Deployment): bigint | undefined {
  return parseGoInteger(deployment.metadata.annotations?.[ROLLBACK_TO], 64);
}

export interface Rollback {
  /** To be written whole: the request is cleared, whether it could be met or not. */
  readonly deployment: Deployment;
  readonly event: { readonly type: EventType; readonly reason: string; readonly message: string };
}

/** Goes back to the template of the wanted revision. The rollout that this starts belongs to the next reconcile. */
export function rollback(deployment: Deployment, rollout: Rollout, draft: Draft): Rollback {
  const replicaSets = allReplicaSets(rollout);
  const cleared = withAnnotations(deployment, withoutLabel(draft.annotations, ROLLBACK_TO));
  const revision = rollbackTarget(deployment) || lastRevision(replicaSets);
  if (revision === 0n) return { deployment: cleared, event: notFound('Unable to find last revision.') };

  const target = replicaSets.find((replicaSet) => revisionOf(replicaSet) === revision);
  if (!target) return { deployment: cleared, event: notFound('Unable to find the revision to rollback to.') };

  const { name } = deployment.metadata;
  if (sameTemplate(deployment.spec?.template, target.spec?.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`;
    return { deployment: cleared, event: { type: 'Warning', reason: 'DeploymentRollbackTemplateUnchanged', message } };
  }
  const annotations = withoutLabel(
    rolledBackAnnotations(withAnnotations(deployment, draft.annotations), target),
    ROLLBACK_TO,
  );
  const message = `Rolled back deployment "${name}" to revision ${revision}`;
  return {
    deployment: {
      ...withAnnotations(deployment, annotations),
      spec: { ...deployment.spec!, template: plainTemplate(target) },
    },
    event: { type: 'Normal', reason: 'DeploymentRollback', message },
  };
}

function notFound(message: string): Rollback['event'] {
  return { type: 'Warning', reason: 'DeploymentRollbackRevisionNotFound', message };
}

function withAnnotations(deployment: Deployment, annotations: Draft['annotations']): Deployment {
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
}

/** A ReplicaSet's template as its Deployment had it. */
function plainTemplate(replicaSet: ReplicaSet): PodTemplateSpec {
  const { template } = replicaSet.spec!;
  const labels = withoutLabel(template?.metadata?.labels, POD_TEMPLATE_HASH);
  return { ...template, metadata: { ...template?.metadata, labels } };
}
