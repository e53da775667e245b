const REFERENCE = /^(?:[^/@\s]+\/)*[a-z0-9][a-z0-9._-]*(?::(?<tag>[\w.-]+))?(?:@(?<digest>\S+))?$/;

/** An image without a tag or a digest means the latest, which is always pulled. What is no reference is taken as pinned. */
export function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  const groups = REFERENCE.exec(image ?? '')?.groups;
  if (groups === undefined) return 'IfNotPresent';
  const { tag, digest } = groups;
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent';
}
