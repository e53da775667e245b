/** What the candidates stand for, and what the leader writes to. */
export const NAMESPACE = 'kube-system';
export const LEASE = 'election-test';
export const CONFIG_MAP = 'election-test';
