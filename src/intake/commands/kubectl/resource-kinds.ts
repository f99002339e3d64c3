/** Resource names as kubectl takes them (`ds`, `daemonsets.apps`) to kinds. */

const KINDS: Readonly<Record<string, string>> = {
  pod: 'Pod',
  po: 'Pod',
  node: 'Node',
  no: 'Node',
  namespace: 'Namespace',
  ns: 'Namespace',
  daemonset: 'DaemonSet',
  ds: 'DaemonSet',
  deployment: 'Deployment',
  deploy: 'Deployment',
  statefulset: 'StatefulSet',
  sts: 'StatefulSet',
  replicaset: 'ReplicaSet',
  rs: 'ReplicaSet',
  job: 'Job',
  cronjob: 'CronJob',
  cj: 'CronJob',
  service: 'Service',
  svc: 'Service',
  configmap: 'ConfigMap',
  cm: 'ConfigMap',
  secret: 'Secret',
  serviceaccount: 'ServiceAccount',
  sa: 'ServiceAccount',
  clusterrole: 'ClusterRole',
  clusterrolebinding: 'ClusterRoleBinding',
  role: 'Role',
  rolebinding: 'RoleBinding',
  networkpolicy: 'NetworkPolicy',
  netpol: 'NetworkPolicy',
  poddisruptionbudget: 'PodDisruptionBudget',
  pdb: 'PodDisruptionBudget',
  persistentvolume: 'PersistentVolume',
  pv: 'PersistentVolume',
  persistentvolumeclaim: 'PersistentVolumeClaim',
  pvc: 'PersistentVolumeClaim',
  volumeattachment: 'VolumeAttachment',
  validatingwebhookconfiguration: 'ValidatingWebhookConfiguration',
  mutatingwebhookconfiguration: 'MutatingWebhookConfiguration',
  customresourcedefinition: 'CustomResourceDefinition',
  crd: 'CustomResourceDefinition',
  ciliumnode: 'CiliumNode',
  cn: 'CiliumNode',
  ciliumnodeconfig: 'CiliumNodeConfig',
  ciliumendpoint: 'CiliumEndpoint',
  cep: 'CiliumEndpoint',
  ciliumnetworkpolicy: 'CiliumNetworkPolicy',
  cnp: 'CiliumNetworkPolicy',
  ciliumclusterwidenetworkpolicy: 'CiliumClusterwideNetworkPolicy',
  ccnp: 'CiliumClusterwideNetworkPolicy',
};

/** A kind in its own spelling (`Volume`, `InstanceManager`) is taken as it is. */
export function kindOf(resource: string): string | undefined {
  const [name = ''] = resource.split('.');
  const lower = name.toLowerCase();
  const singular = [
    lower,
    lower.replace(/s$/, ''),
    lower.replace(/ies$/, 'y'),
    lower.replace(/es$/, ''),
  ];
  const key = singular.find((candidate) => Object.hasOwn(KINDS, candidate));
  if (key !== undefined) return KINDS[key];
  return /^[A-Z][A-Za-z]+$/.test(name) ? name : undefined;
}
