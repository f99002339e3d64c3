/** Node objects, control-plane mirror pods and machine configs of a Talos cluster. */
import type { KubeObject } from '../../model/kubernetes.ts';
import { talosRelease } from '../../knowledge/talos-versions.ts';
import type { ClusterLayout, LaidOutNode } from './cluster-layout.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { BORN, generatedPod } from './generated-pod.ts';
import { hexOf, uidOf } from './identities.ts';
import { objectOf } from './object-of.ts';

export function nodeObject(layout: ClusterLayout, node: LaidOutNode): KubeObject {
  const { spec } = layout;
  const controlPlane = node.role === 'control-plane';
  const taints =
    controlPlane && !spec.machine.schedulableControlPlanes
      ? [{ effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane' }]
      : undefined;
  return objectOf({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      annotations: {
        'flannel.alpha.coreos.com/backend-data': `{"VNI":1,"VtepMAC":"${macOf(node.name)}"}`,
        'flannel.alpha.coreos.com/backend-type': 'vxlan',
        'flannel.alpha.coreos.com/kube-subnet-manager': 'true',
        'flannel.alpha.coreos.com/public-ip': node.address,
      },
      creationTimestamp: BORN,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        ...(controlPlane ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
      },
      name: node.name,
      resourceVersion: '418300',
      uid: uidOf(`Node ${node.name}`),
    },
    spec: {
      podCIDR: node.podCidr,
      podCIDRs: [node.podCidr],
      ...(taints === undefined ? {} : { taints }),
    },
    status: nodeStatus(spec, node),
  });
}

function nodeStatus(spec: ClusterSpec, node: LaidOutNode): unknown {
  const release = talosRelease(spec.versions.talos);
  const resources = { cpu: '8', 'ephemeral-storage': '477Gi', memory: node.memory, pods: '250' };
  return {
    addresses: [
      { address: node.address, type: 'InternalIP' },
      { address: node.name, type: 'Hostname' },
    ],
    allocatable: resources,
    capacity: resources,
    conditions: [
      condition(
        'MemoryPressure',
        'False',
        'KubeletHasSufficientMemory',
        'kubelet has sufficient memory available',
      ),
      condition(
        'DiskPressure',
        'False',
        'KubeletHasNoDiskPressure',
        'kubelet has no disk pressure',
      ),
      condition(
        'PIDPressure',
        'False',
        'KubeletHasSufficientPID',
        'kubelet has sufficient PID available',
      ),
      condition('NetworkUnavailable', 'False', 'FlannelIsUp', 'Flannel is running on this node'),
      condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
    nodeInfo: {
      architecture: 'amd64',
      bootID: uidOf(`boot ${node.name}`),
      containerRuntimeVersion: `containerd://${release.containerd}`,
      kernelVersion: release.kernel,
      kubeProxyVersion: '',
      kubeletVersion: `v${spec.versions.kubernetes}`,
      machineID: hexOf(node.name).slice(0, 32),
      operatingSystem: 'linux',
      osImage: `Talos (v${spec.versions.talos})`,
    },
  };
}

function condition(type: string, status: string, reason: string, message: string): object {
  return { lastHeartbeatTime: BORN, lastTransitionTime: BORN, message, reason, status, type };
}

const STATIC_PODS = [
  { name: 'kube-apiserver', port: 6443, path: '/livez' },
  { name: 'kube-controller-manager', port: 10257, path: '/healthz' },
  { name: 'kube-scheduler', port: 10259, path: '/healthz' },
] as const;

/** The mirror pods of the static control plane on one node. */
export function mirrorPods(spec: ClusterSpec, node: LaidOutNode): readonly KubeObject[] {
  return STATIC_PODS.map(({ name, port, path }) => {
    const hash = hexOf(`${name} ${node.name}`).slice(0, 32);
    return generatedPod({
      name: `${name}-${node.name}`,
      namespace: 'kube-system',
      labels: { 'k8s-app': name, tier: 'control-plane' },
      annotations: {
        'kubernetes.io/config.hash': hash,
        'kubernetes.io/config.mirror': hash,
        'kubernetes.io/config.seen': BORN,
        'kubernetes.io/config.source': 'file',
      },
      owner: {
        apiVersion: 'v1',
        kind: 'Node',
        name: node.name,
        uid: uidOf(`Node ${node.name}`),
        controller: true,
      },
      node,
      ip: node.address,
      spec: {
        hostNetwork: true,
        priorityClassName: 'system-cluster-critical',
        tolerations: [{ effect: 'NoExecute', operator: 'Exists' }],
        containers: [
          {
            name,
            image: `registry.k8s.io/${name}:v${spec.versions.kubernetes}`,
            command: [`/usr/local/bin/${name}`],
            livenessProbe: {
              httpGet: { host: 'localhost', path, port },
              periodSeconds: 10,
              failureThreshold: 3,
            },
            readinessProbe: {
              httpGet: { host: 'localhost', path: path.replace('livez', 'readyz'), port },
            },
          },
        ],
      },
    });
  });
}

/** The machine config of a node, as plain data of the one v1alpha1 document. */
export function machineConfigOf(spec: ClusterSpec, node: LaidOutNode): unknown {
  const { machine, network, versions } = spec;
  const controlPlane = node.role === 'control-plane';
  return {
    version: 'v1alpha1',
    debug: false,
    persist: true,
    machine: {
      type: controlPlane ? 'controlplane' : 'worker',
      certSANs: [network.vip ?? node.address],
      kubelet: {
        image: `ghcr.io/siderolabs/kubelet:v${versions.kubernetes}`,
        ...(machine.nodeIpValidSubnets.length === 0
          ? {}
          : { nodeIP: { validSubnets: machine.nodeIpValidSubnets } }),
        defaultRuntimeSeccompProfileEnabled: true,
        disableManifestsDirectory: true,
      },
      network: {
        hostname: node.name,
        interfaces: [
          {
            deviceSelector: { physical: true },
            addresses: [`${node.address}/24`],
            ...(controlPlane && network.vip !== undefined ? { vip: { ip: network.vip } } : {}),
          },
        ],
      },
      install: {
        disk: '/dev/sda',
        image: machine.installer ?? `ghcr.io/siderolabs/installer:v${versions.talos}`,
        wipe: false,
      },
      features: {
        rbac: true,
        stableHostname: true,
        apidCheckExtKeyUsage: true,
        diskQuotaSupport: true,
        ...(machine.kubePrism ? { kubePrism: { enabled: true, port: 7445 } } : {}),
        hostDNS: {
          enabled: machine.hostDns,
          // Only configs generated with a contract newer than 1.7 carry this key.
          ...(machine.forwardKubeDnsToHost ? { forwardKubeDNSToHost: true } : {}),
        },
      },
    },
    cluster: clusterSection(spec, controlPlane),
  };
}

function clusterSection(
  { name, network, versions, machine }: ClusterSpec,
  controlPlane: boolean,
): unknown {
  const image = (component: string): { image: string } => ({
    image: `registry.k8s.io/${component}:v${versions.kubernetes}`,
  });
  return {
    clusterName: name,
    controlPlane: { endpoint: network.endpoint },
    network: {
      dnsDomain: 'cluster.local',
      podSubnets: [network.podSubnet],
      serviceSubnets: [network.serviceSubnet],
    },
    ...(machine.proxyDisabled
      ? { proxy: { disabled: true } }
      : controlPlane
        ? { proxy: image('kube-proxy') }
        : {}),
    ...(controlPlane
      ? {
          apiServer: image('kube-apiserver'),
          controllerManager: image('kube-controller-manager'),
          scheduler: image('kube-scheduler'),
          discovery: { enabled: true, registries: { kubernetes: { disabled: true }, service: {} } },
          etcd: {},
          ...(machine.schedulableControlPlanes ? { allowSchedulingOnControlPlanes: true } : {}),
        }
      : {}),
  };
}

function macOf(name: string): string {
  const hex = hexOf(`mac ${name}`);
  return [0, 1, 2, 3, 4].reduce(
    (mac, index) => `${mac}:${hex.slice(index * 2, index * 2 + 2)}`,
    '6e',
  );
}
