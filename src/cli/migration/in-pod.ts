/**
 * Whether this process stands on the network it is about to replace: in a pod that is not on its
 * node's own network. Such a regauge would cut itself off (calico's flannel-migration-controller ran
 * so; anchors 2.3).
 */
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { internalIpsOf } from '../../model/node-object.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface Place {
  /** Kubernetes put a service account and the API's address here. */
  readonly isPod: boolean;
  /** Addresses of the interfaces here. */
  readonly addresses: readonly string[];
}

export function placeOf(environment: Readonly<Partial<Record<string, string>>>): Place {
  return {
    isPod: environment['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(SERVICE_ACCOUNT),
    addresses: Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    ),
  };
}

/** Throws `refused` in a pod that has none of the nodes' own addresses. */
export function refuseOnPodNetwork(place: Place, nodes: readonly NodeObject[]): void {
  if (!place.isPod) return;
  const own = new Set(nodes.flatMap(internalIpsOf));
  if (place.addresses.some((address) => own.has(address))) return;
  throw new RegaugeError(
    'refused',
    'regauge runs in a pod on the network that it is to replace, and would cut itself off',
    { hint: 'Run it outside the cluster, or in a pod with hostNetwork: true.' },
  );
}
