import type { PodTemplateSpec } from '#pkg/api';
import { fnv32a, safeEncode } from '#pkg/base';

import { dumpForHash } from './go-dump.ts';

/**
 * The hash that names a DaemonSet's revisions and labels its Pods: upstream's for the same template and version, so that
 * one manager can take over from the other (`ComputeHash` in `pkg/controller/controller_utils.go`).
 */
export function templateHash(template: PodTemplateSpec, collisionCount?: number): string {
  const text = dumpForHash('v1.PodTemplateSpec', template);
  return safeEncode(
    String(
      fnv32a(collisionCount === undefined ? text : Buffer.concat([Buffer.from(text), littleEndian(collisionCount)])),
    ),
  );
}

/** Eight bytes, of which Go fills four. */
function littleEndian(count: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(count);
  return bytes;
}
