/**
 * The kubeadm cluster as RKE2 would run it: Canal from a HelmChart, kube-proxy as a static pod of each node
 * (rke2-charts:packages/rke2-canal@262e21a, rke2:pkg/executor/staticpod@6ce1a80).
 */
import type { KubeObject, NodeObject, PodObject } from '../../src/model/kubernetes.ts';
import { kubeadm, type Snapshot } from './snapshots.ts';

export interface Rke2Options {
  /** Nodes that run rke2-server; the first one when left out. */
  readonly servers?: readonly string[];
  /** What each server was started with besides joining the first one, as `rke2.io/node-args` has it. */
  readonly serverArgs?: readonly string[];
  readonly objects?: readonly KubeObject[];
}

const CALICO = 'rancher/hardened-calico:v3.29.2-build20250306';
const GONE = /^(kube-flannel|kube-proxy|kubeadm-config)/;

export function rke2({
  servers = ['k8s-master-1'],
  serverArgs = ['server'],
  objects: more = [],
}: Rke2Options = {}): Snapshot {
  const { objects } = kubeadm();
  // The kind says so.
  const nodes = objects.flatMap((each) => (each.kind === 'Node' ? [each as NodeObject] : []));
  const kept = objects.filter(({ kind, metadata }) => kind !== 'Node' && !GONE.test(metadata.name));
  return {
    objects: [
      ...kept.map(hardened),
      ...nodes.map((node) => asRke2(node, servers, serverArgs)),
      ...nodes.map((node) => pod(node, 'kube-proxy', PROXY)),
      ...nodes.map((node) => pod(node, 'rke2-canal', CANAL)),
      ...CANAL_OBJECTS,
      ...more,
    ],
    files: {},
  };
}

/** RKE2's own images of what it deploys. */
function hardened(object: KubeObject): KubeObject {
  const text = JSON.stringify(object).replaceAll(
    /registry\.k8s\.io\/coredns\/coredns/g,
    'rancher/hardened-coredns',
  );
  return JSON.parse(text) as KubeObject; // as it was
}

function asRke2(
  node: NodeObject,
  servers: readonly string[],
  serverArgs: readonly string[],
): NodeObject {
  const isServer = servers.includes(node.metadata.name);
  const joins = servers[0] === node.metadata.name ? [] : ['--server', 'https://10.0.5.9:9345'];
  const args = isServer ? [...serverArgs, ...joins] : ['agent'];
  const { 'node-role.kubernetes.io/control-plane': _, ...plain } = node.metadata.labels ?? {};
  const { 'kubeadm.alpha.kubernetes.io/cri-socket': _socket, ...annotations } =
    node.metadata.annotations ?? {};
  const roles = {
    'node-role.kubernetes.io/control-plane': 'true',
    'node-role.kubernetes.io/etcd': 'true',
  };
  const { nodeInfo } = node.status;
  const { taints: _taints, ...spec } = node.spec;
  return {
    ...node,
    spec,
    metadata: {
      ...node.metadata,
      labels: isServer ? { ...plain, ...roles } : plain,
      annotations: {
        ...annotations,
        'projectcalico.org/IPv4Address': `${node.status.addresses?.[0]?.address ?? ''}/24`,
        'rke2.io/node-args': JSON.stringify(args),
      },
    },
    status: {
      ...node.status,
      nodeInfo: { ...nodeInfo, kubeletVersion: `${nodeInfo?.kubeletVersion ?? ''}+rke2r1` },
    } as NodeObject['status'], // as it was, with another version
  };
}

interface PodParts {
  readonly mirror: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: object;
}

function pod(node: NodeObject, name: string, { mirror, labels, spec }: PodParts): PodObject {
  const address = node.status.addresses?.[0]?.address ?? '';
  const { name: nodeName, uid } = node.metadata;
  const owner = mirror
    ? { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: uid ?? '' }
    : { apiVersion: 'apps/v1', kind: 'DaemonSet', name, uid: `uid-${name}` };
  const { containers = [], initContainers = [] } = spec as PodObject['spec'];
  const ready = { ready: true, restartCount: 0, state: { running: {} } };
  const ended = { ...ready, state: { terminated: { exitCode: 0, reason: 'Completed' } } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: mirror ? `${name}-${nodeName}` : `${name}-${nodeName.replaceAll('-', '').slice(-5)}`,
      namespace: 'kube-system',
      uid: `uid-${name}-${nodeName}`,
      creationTimestamp: '2026-02-01T08:00:00Z',
      labels,
      annotations: mirror
        ? { 'kubernetes.io/config.mirror': 'a', 'kubernetes.io/config.source': 'file' }
        : {},
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec: { ...spec, nodeName } as PodObject['spec'],
    status: {
      phase: 'Running',
      podIP: address,
      hostIP: address,
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: containers.map(({ name: container, image }) => ({
        name: container,
        image,
        ...ready,
      })),
      initContainerStatuses: initContainers.map(({ name: container, image }) => ({
        name: container,
        image,
        ...ended,
      })),
    },
  } as unknown as PodObject; // as kubectl prints one
}

const EVERYWHERE = [
  { effect: 'NoSchedule', operator: 'Exists' },
  { effect: 'NoExecute', operator: 'Exists' },
];

const PROXY: PodParts = {
  mirror: true,
  labels: { component: 'kube-proxy', tier: 'control-plane' },
  spec: {
    hostNetwork: true,
    priorityClassName: 'system-cluster-critical',
    tolerations: [{ effect: 'NoExecute', operator: 'Exists' }],
    containers: [
      {
        name: 'kube-proxy',
        image: 'rancher/hardened-kubernetes:v1.31.6-rke2r1-build20250212',
        command: ['kube-proxy'],
        args: ['--cluster-cidr=10.244.0.0/16', '--proxy-mode=iptables'],
      },
    ],
  },
};

function fromConfig(name: string, key: string): object {
  return { name, valueFrom: { configMapKeyRef: { name: 'rke2-canal-config', key } } };
}

const CANAL: PodParts = {
  mirror: false,
  labels: { 'controller-revision-hash': '5f6d7c8b9', 'k8s-app': 'canal' },
  spec: {
    hostNetwork: true,
    serviceAccountName: 'canal',
    priorityClassName: 'system-node-critical',
    terminationGracePeriodSeconds: 0,
    tolerations: EVERYWHERE,
    initContainers: [
      {
        name: 'install-cni',
        image: CALICO,
        command: ['/opt/cni/bin/install'],
        env: [
          { name: 'CNI_CONF_NAME', value: '10-canal.conflist' },
          fromConfig('CNI_NETWORK_CONFIG', 'cni_network_config'),
          fromConfig('CNI_MTU', 'veth_mtu'),
        ],
      },
      { name: 'flexvol-driver', image: CALICO },
    ],
    containers: [
      { name: 'calico-node', image: CALICO, command: ['start_runit'] },
      {
        name: 'kube-flannel',
        image: 'rancher/hardened-flannel:v0.26.4-build20250306',
        command: ['/opt/bin/flanneld', '--ip-masq', '--kube-subnet-mgr'],
      },
    ],
    volumes: [
      { name: 'var-lib-calico', hostPath: { path: '/var/lib/calico' } },
      { name: 'flannel-cfg', configMap: { name: 'rke2-canal-config' } },
      { name: 'cni-bin-dir', hostPath: { path: '/opt/cni/bin' } },
      { name: 'cni-net-dir', hostPath: { path: '/etc/cni/net.d' } },
    ],
  },
};

const CONF = {
  name: 'k8s-pod-network',
  cniVersion: '0.3.1',
  plugins: [
    {
      type: 'calico',
      datastore_type: 'kubernetes',
      nodename: '__KUBERNETES_NODE_NAME__',
      mtu: 1450,
      ipam: { type: 'host-local', ranges: [[{ subnet: 'usePodCidr' }]] },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: '__KUBECONFIG_FILEPATH__' },
    },
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
    { type: 'bandwidth', capabilities: { bandwidth: true } },
  ],
};

const OF_HELM = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: {
    'meta.helm.sh/release-name': 'rke2-canal',
    'meta.helm.sh/release-namespace': 'kube-system',
  },
};

const CANAL_OBJECTS: readonly KubeObject[] = [
  {
    apiVersion: 'helm.cattle.io/v1',
    kind: 'HelmChart',
    metadata: {
      name: 'rke2-canal',
      namespace: 'kube-system',
      uid: 'uid-chart',
      annotations: {
        'helm.cattle.io/chart-url':
          'https://rke2-charts.rancher.io/assets/rke2-canal/rke2-canal.tgz',
        'objectset.rio.cattle.io/owner-name': 'rke2-canal',
      },
    },
    spec: { bootstrap: true, set: { 'global.clusterCIDR': '10.244.0.0/16' } },
  } as KubeObject,
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'canal', namespace: 'kube-system', uid: 'uid-canal', ...OF_HELM },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'rke2-canal-config',
      namespace: 'kube-system',
      uid: 'uid-config',
      ...OF_HELM,
    },
    data: {
      cni_network_config: JSON.stringify(CONF),
      masquerade: 'true',
      'net-conf.json': '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}',
      veth_mtu: '1450',
    },
  } as KubeObject,
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: 'rke2-canal',
      namespace: 'kube-system',
      uid: 'uid-rke2-canal',
      generation: 1,
      ...OF_HELM,
    },
    spec: {
      selector: { matchLabels: { 'k8s-app': 'canal' } },
      template: { metadata: { labels: { 'k8s-app': 'canal' } }, spec: CANAL.spec },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    },
    status: {
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
    },
  } as KubeObject,
];
