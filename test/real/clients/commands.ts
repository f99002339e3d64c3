/**
 * What people type at a cluster, in an order that builds on itself, and what each client must print.
 * The cluster is the published incident before it: seven Talos nodes that run Flannel.
 */
import type { Client } from './served-twin.ts';

export interface ClientCommand {
  readonly client: Client;
  readonly line: string;
  readonly input?: string;
  /** 0 when absent. */
  readonly code?: number;
  /** All must be in what is printed, on either stream. */
  readonly prints: readonly (string | RegExp)[];
}

const CP = '10.0.1.61';
const WORKER = '10.0.1.62';
const CONF = '/etc/cni/net.d/10-flannel.conflist';

function kubectl(line: string, ...prints: ClientCommand['prints']): ClientCommand {
  return { client: 'kubectl', line, prints };
}

function talosctl(line: string, ...prints: ClientCommand['prints']): ClientCommand {
  return { client: 'talosctl', line, prints };
}

function configMap(value: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'practice' },
    data: { value },
  });
}

const READING: readonly ClientCommand[] = [
  kubectl('version', /Server Version: v1\./),
  kubectl('get --raw /readyz', 'ok'),
  kubectl('api-resources', /configmaps +cm +v1 +true +ConfigMap/, /daemonsets +ds +apps\/v1/),
  kubectl('explain pod.spec.nodeName', 'FIELD: nodeName <string>'),
  kubectl('auth can-i delete nodes', 'yes'),
  kubectl('get nodes -o wide', /talos-cp-01 +Ready +control-plane/, 'containerd://'),
  kubectl('get pods -A', /kube-system +kube-flannel-\w+ +1\/1 +Running/),
  kubectl('get pods -n kube-system -l k8s-app=kube-dns -o name', /^pod\/coredns-/m),
  kubectl('get nodes -o jsonpath={.items[*].metadata.name}', 'talos-wrk-04'),
  kubectl('get deployments -A -o custom-columns=N:.metadata.name', /^coredns$/m),
  kubectl('get daemonset kube-flannel -n kube-system -o yaml', 'kind: DaemonSet'),
  kubectl('describe node talos-wrk-01', /^Name: +talos-wrk-01$/m, 'Allocated resources'),
  kubectl('get pod none -n default', 'pods "none" not found'),
  kubectl('cluster-info dump --output-directory dump', 'Cluster info dumped to dump'),
].map((one) => (one.line.startsWith('get pod none') ? { ...one, code: 1 } : one));

const WRITING: readonly ClientCommand[] = [
  kubectl('create namespace practice', 'namespace/practice created'),
  kubectl('create configmap given -n practice --from-literal=a=1', 'configmap/given created'),
  {
    ...kubectl('apply --server-side -f -', 'configmap/settings serverside-applied'),
    input: configMap('1'),
  },
  {
    ...kubectl('apply --server-side --field-manager other -f -', 'conflict with "kubectl"'),
    input: configMap('2'),
    code: 1,
  },
  {
    ...kubectl(
      'apply --server-side --field-manager other --force-conflicts -f -',
      'configmap/settings serverside-applied',
    ),
    input: configMap('2'),
  },
  { ...kubectl('diff --server-side --field-manager other -f -'), input: configMap('2') },
  kubectl('create deployment web -n practice --image example.com/web:1 --replicas 2', 'created'),
  kubectl('rollout status deployment/web -n practice --timeout 60s', 'successfully rolled out'),
  kubectl('scale deployment web -n practice --replicas 3', 'scaled'),
  kubectl('set image deployment/web -n practice web=example.com/web:2', 'image updated'),
  kubectl('rollout status deployment/web -n practice --timeout 60s', 'successfully rolled out'),
  kubectl('rollout undo deployment/web -n practice', 'rolled back'),
  kubectl('rollout status deployment/web -n practice --timeout 60s', 'successfully rolled out'),
  kubectl('rollout history deployment/web -n practice', /^2 +<none>\n3 +<none>$/m),
  kubectl('rollout restart daemonset/kube-flannel -n kube-system', 'restarted'),
  kubectl(
    'rollout status daemonset/kube-flannel -n kube-system --timeout 90s',
    'successfully rolled out',
  ),
  kubectl('rollout history daemonset/kube-flannel -n kube-system', /^1 +<none>\n2 +<none>$/m),
  kubectl('rollout undo daemonset/kube-flannel -n kube-system', 'rolled back'),
  kubectl(
    'rollout status daemonset/kube-flannel -n kube-system --timeout 90s',
    'successfully rolled out',
  ),
  {
    ...kubectl('port-forward -n practice deployment/web 0:80', 'listen on no port of this machine'),
    code: 1,
  },
  kubectl('label node talos-wrk-01 practice=yes', 'node/talos-wrk-01 labeled'),
  kubectl('taint node talos-wrk-01 practice=yes:NoSchedule', 'node/talos-wrk-01 tainted'),
  kubectl('taint node talos-wrk-01 practice-', 'untainted'),
  kubectl('cordon talos-wrk-04', 'node/talos-wrk-04 cordoned'),
  kubectl(
    'drain talos-wrk-04 --ignore-daemonsets --delete-emptydir-data --force --timeout 90s',
    /evicting pod|drained/,
    'node/talos-wrk-04 drained',
  ),
  kubectl('uncordon talos-wrk-04', 'node/talos-wrk-04 uncordoned'),
  kubectl('exec -n kube-system ds/kube-flannel -- cat /run/flannel/subnet.env', 'FLANNEL_SUBNET='),
  {
    ...kubectl('exec -n kube-system ds/kube-flannel -- cat /none', 'No such file or directory'),
    code: 1,
  },
  kubectl('get events -A', 'Scheduled'),
  kubectl('delete namespace practice --timeout 90s', 'namespace "practice" deleted'),
  { ...kubectl('get namespace practice', 'namespaces "practice" not found'), code: 1 },
];

const MACHINES: readonly ClientCommand[] = [
  talosctl('version', /Server:\s+NODE: +10\.0\.1\.61/),
  talosctl(`-n ${WORKER} ls /etc/cni/net.d`, '10-flannel.conflist'),
  talosctl(`-n ${WORKER} read ${CONF}`, '"type": "flannel"'),
  { ...talosctl(`-n ${WORKER} read /none`, 'no such file or directory'), code: 1 },
  talosctl(`-n ${CP},${WORKER} ls /etc/cni`, `${CP} `, `${WORKER} `),
  talosctl(`-n ${WORKER} services`, /kubelet +Running +OK/),
  talosctl(`-n ${WORKER} get members`, /talos-cp-01 +controlplane/),
  talosctl(`-n ${WORKER} get machineconfig -o yaml`, 'MachineConfigs.config.talos.dev'),
  talosctl(`-n ${CP} etcd members`, 'talos-cp-02', 'talos-cp-03'),
  talosctl(`-n ${CP} etcd status`, 'RAFT TERM'),
  talosctl(`-n ${WORKER} mounts`, /overlay .*\/etc\/cni/),
  talosctl(`-n ${WORKER} get hostdnsconfig`, /HostDNSConfig +config/),
  talosctl(`-n ${WORKER} get kubeprismstatus`, /KubePrismStatus .* true/),
  talosctl(`-n ${WORKER} get links`, 'flannel.1'),
  talosctl(`-n ${CP} health`, 'waiting for all k8s nodes to report schedulable: OK'),
  talosctl(`-n ${WORKER} containers -k`, 'kube-system/kube-flannel'),
  talosctl(`-n ${WORKER} reboot --timeout 120s`, 'post check passed'),
  kubectl('wait node/talos-wrk-01 --for=condition=Ready --timeout 90s', 'condition met'),
  { ...talosctl(`-n ${WORKER} ls /run/flannel`, 'subnet.env') },
];

const REGAUGE: readonly ClientCommand[] = [
  {
    client: 'regauge',
    line: 'check --live -o json',
    code: 1,
    prints: ['"kind": "CheckReport"', '"hazard"'],
  },
  { client: 'regauge', line: 'snapshot --out taken -o json', prints: [/"kind": "Snapshot/] },
  {
    client: 'regauge',
    line: 'check taken -o json',
    code: 1,
    prints: ['"kind": "CheckReport"', '"hazard"'],
  },
];

export const COMMANDS: readonly ClientCommand[] = [...READING, ...WRITING, ...MACHINES, ...REGAUGE];
