/**
 * The Service of the cluster's DNS where no Service was read: CoreDNS without it answers nobody, and
 * a twin without it would call that an outage of the migration's.
 */
import { nthAddress, parseCidr } from '../../base/cidr.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { serviceRange } from './cluster-ranges.ts';
import { objectOf } from './object-of.ts';

const DNS_LABELS = { 'k8s-app': 'kube-dns' } as const;

export function missingDnsService(objects: readonly KubeObject[]): {
  readonly objects: readonly KubeObject[];
  readonly assumptions: readonly Assumption[];
} {
  const services = objects.filter(({ kind }) => kind === 'Service');
  const servesNames = objects.some(
    ({ kind, metadata }) =>
      kind === 'Pod' && metadata.labels?.['k8s-app'] === DNS_LABELS['k8s-app'],
  );
  if (services.length > 0 || !servesNames) return { objects: [], assumptions: [] };
  const range = parseCidr(serviceRange(objects) ?? '10.96.0.0/12');
  const clusterIP = range === undefined ? '10.96.0.10' : nthAddress(range, 10);
  return {
    objects: [dnsService(clusterIP)],
    assumptions: [
      {
        about: 'Services',
        assumed: `only kube-system/kube-dns at ${clusterIP}`,
        because: 'none was read',
        command: 'kubectl get services -A -o yaml',
      },
    ],
  };
}

function dnsService(clusterIP: string): KubeObject {
  return objectOf({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels: DNS_LABELS },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      selector: DNS_LABELS,
      type: 'ClusterIP',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      ],
    },
  });
}
