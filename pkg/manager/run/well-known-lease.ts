/** The lease that every kube-controller-manager holds unless it is given another one. */
export const WELL_KNOWN_LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' } as const;
