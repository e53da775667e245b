import type { PodTemplateSpec } from '#pkg/api';
import { fnv32a, safeEncode } from '#pkg/base';

import { dumpForHash } from './go-dump.ts';

/**
 * The hash that names a Deployment's ReplicaSets and a DaemonSet's revisions and labels their Pods. It equals upstream's
 * for the same template, so that one manager can take over from the other (`ComputeHash` in
 * `pkg/controller/controller_utils.go`). A collision count of 0 is another name than none.
 */
export function templateHash(template: PodTemplateSpec, collisionCount?: number | null): string {
  const text = dumpForHash('v1.PodTemplateSpec', template);
  return safeEncode(
    String(
      fnv32a(
        collisionCount === undefined || collisionCount === null
          ? text
          : Buffer.concat([Buffer.from(text), littleEndian(collisionCount)]),
      ),
    ),
  );
}

/** Eight bytes, of which Go fills four. */
function littleEndian(count: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(count);
  return bytes;
}
