/** Who can give VMs: the operator's own pool of machines, or a back end that is called over HTTP. */
export const PROVISIONERS = ['pool', 'http'] as const;
export type ProvisionerName = (typeof PROVISIONERS)[number];
