/** What a snapshot holds: every kind that facts, hazards, plans or twins are made of. */
export interface SnapshotKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** As kubectl is asked for it, for those who must fetch it by hand. */
  readonly resource: string;
  /** A cluster without it is an ordinary one: not being served is no gap. */
  readonly optional?: true;
}

export const SNAPSHOT_KINDS: readonly SnapshotKind[] = [
  { apiVersion: 'v1', kind: 'Node', resource: 'nodes' },
  { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces' },
  { apiVersion: 'v1', kind: 'Pod', resource: 'pods' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets' },
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' },
  { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' },
  { apiVersion: 'v1', kind: 'Service', resource: 'services' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', resource: 'endpointslices' },
  { apiVersion: 'v1', kind: 'ServiceAccount', resource: 'serviceaccounts' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', resource: 'clusterroles' },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    resource: 'clusterrolebindings',
  },
  { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', resource: 'poddisruptionbudgets' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies' },
  { apiVersion: 'v1', kind: 'PersistentVolume', resource: 'persistentvolumes' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim', resource: 'persistentvolumeclaims' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', resource: 'volumeattachments' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', resource: 'storageclasses' },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    resource: 'validatingwebhookconfigurations',
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    resource: 'mutatingwebhookconfigurations',
  },
  { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', resource: 'apiservices' },
  optional('cilium.io/v2', 'CiliumNode', 'ciliumnodes'),
  optional('cilium.io/v2', 'CiliumNodeConfig', 'ciliumnodeconfigs.v2.cilium.io'),
  optional('cilium.io/v2alpha1', 'CiliumNodeConfig', 'ciliumnodeconfigs.v2alpha1.cilium.io'),
  optional('cilium.io/v2', 'CiliumNetworkPolicy', 'ciliumnetworkpolicies'),
  optional('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies'),
  optional(
    'crd.projectcalico.org/v1',
    'GlobalNetworkPolicy',
    'globalnetworkpolicies.crd.projectcalico.org',
  ),
  optional('crd.projectcalico.org/v1', 'NetworkPolicy', 'networkpolicies.crd.projectcalico.org'),
  optional('crd.projectcalico.org/v1', 'HostEndpoint', 'hostendpoints.crd.projectcalico.org'),
  optional('longhorn.io/v1beta2', 'Volume', 'volumes.longhorn.io'),
  optional('longhorn.io/v1beta2', 'Replica', 'replicas.longhorn.io'),
  optional('longhorn.io/v1beta2', 'Engine', 'engines.longhorn.io'),
  optional('longhorn.io/v1beta2', 'InstanceManager', 'instancemanagers.longhorn.io'),
  optional('longhorn.io/v1beta2', 'Setting', 'settings.longhorn.io'),
  optional('helm.toolkit.fluxcd.io/v2', 'HelmRelease', 'helmreleases'),
  optional(
    'kustomize.toolkit.fluxcd.io/v1',
    'Kustomization',
    'kustomizations.kustomize.toolkit.fluxcd.io',
  ),
  optional('argoproj.io/v1alpha1', 'Application', 'applications.argoproj.io'),
  optional('helm.cattle.io/v1', 'HelmChart', 'helmcharts'),
  optional('helm.cattle.io/v1', 'HelmChartConfig', 'helmchartconfigs'),
];

function optional(apiVersion: string, kind: string, resource: string): SnapshotKind {
  return { apiVersion, kind, resource, optional: true };
}
