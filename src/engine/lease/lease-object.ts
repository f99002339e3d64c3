/** The Lease by which one regauge at a time acts on a cluster (coordination.k8s.io/v1). */
import type { KubeObject } from '../../model/kubernetes.ts';
import { OWN_LABELS, OWN_NAMESPACE } from '../../model/own-objects.ts';
import type { ObjectAddress } from '../../ports/index.ts';

export interface LeaseObject extends KubeObject {
  readonly spec?: {
    /** Empty or absent: nobody holds it. */
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds, by the holder's clock: for people. */
    readonly acquireTime?: string;
    readonly renewTime?: string;
    /** Grows by one with every new holder: the fencing token. */
    readonly leaseTransitions?: number;
  };
}

export const LEASE: ObjectAddress = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: OWN_NAMESPACE,
  name: 'regauge',
};

export interface Holding {
  readonly holder: string;
  readonly durationMs: number;
  /** Milliseconds since 1970. */
  readonly acquiredAt: number;
  readonly renewedAt: number;
  readonly token: number;
}

export function leaseObject(holding: Holding, resourceVersion?: string): LeaseObject {
  return {
    apiVersion: LEASE.apiVersion,
    kind: LEASE.kind,
    metadata: {
      name: LEASE.name,
      namespace: OWN_NAMESPACE,
      labels: OWN_LABELS,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: {
      holderIdentity: holding.holder,
      leaseDurationSeconds: Math.max(1, Math.round(holding.durationMs / 1000)),
      acquireTime: microTime(holding.acquiredAt),
      renewTime: microTime(holding.renewedAt),
      leaseTransitions: holding.token,
    },
  };
}

/** Kubernetes wants six digits of a second in a MicroTime. */
function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

/** Undefined when nobody holds it. */
export function holderOf(lease: LeaseObject | undefined): string | undefined {
  const holder = lease?.spec?.holderIdentity;
  return holder === undefined || holder === '' ? undefined : holder;
}
