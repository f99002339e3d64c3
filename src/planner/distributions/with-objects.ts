/** Distributions whose old CNI and kube-proxy are objects of the API: Talos and kubeadm. */
import { cniDirectories } from '../../knowledge/distributions.ts';
import type { ObjectSelector } from '../../model/plan.ts';
import type { DistributionAdapter, NamedObject } from './adapter.ts';
import { FLANNEL } from './old-network.ts';

export function withObjects(
  distribution: 'talos' | 'kubeadm',
  flannelDaemonSet: NamedObject,
): DistributionAdapter {
  return {
    directories: cniDirectories(distribution, { bundledFlannel: false }),
    afterOldCni: undefined,
    oldNetwork: FLANNEL,
    oldCni: flannelObjects(distribution, flannelDaemonSet),
    oldCniReturns: 'from-backup',
    kubeProxy: kubeProxyObjects(distribution),
    service: undefined,
    refusals: [],
  };
}

function flannelObjects(
  distribution: 'talos' | 'kubeadm',
  { namespace, name }: NamedObject,
): readonly ObjectSelector[] {
  return [
    { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name },
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kube-flannel-cfg' },
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'flannel' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', name: 'flannel' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'flannel' },
    ...(distribution === 'kubeadm' && namespace === 'kube-flannel'
      ? [{ apiVersion: 'v1', kind: 'Namespace', name: namespace }]
      : []),
  ];
}

/** kubeadm puts kube-proxy back at its next upgrade while the ConfigMap is there (cilium kubeproxy-free.rst). */
function kubeProxyObjects(distribution: 'talos' | 'kubeadm'): readonly ObjectSelector[] {
  const place = { namespace: 'kube-system', name: 'kube-proxy' } as const;
  return [
    { apiVersion: 'apps/v1', kind: 'DaemonSet', ...place },
    ...(distribution === 'kubeadm' ? [{ apiVersion: 'v1', kind: 'ConfigMap', ...place }] : []),
  ];
}
