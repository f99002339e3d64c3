/**
 * The objects Talos renders on control planes: Flannel, kube-proxy and CoreDNS, as its templates
 * have them (`talos:pkg/flannel/template.go@v1.10.5`, knowledge talos-and-cni-selection.md 4.4).
 * Rendering only; who creates, updates or prunes them is `manifests-controller.ts`.
 */
import { atLeast } from '../../base/versions.ts';
import type { KubeObject } from '../../model/kubernetes.ts';

export interface ManifestSettings {
  readonly talosVersion: string;
  readonly kubernetesVersion: string;
  /** The Flannel that is rendered; the release's own unless the cluster was never synced. */
  readonly flannelVersion: string;
  readonly cniName: string;
  readonly proxyDisabled: boolean;
  readonly podSubnets: readonly string[];
  readonly dnsDomain: string;
  /** The cluster DNS address: the tenth of the service range. */
  readonly clusterDns: string;
  readonly kubePrismPort: number | undefined;
}

const CRITICAL = 'system-node-critical';
const TOLERATES_ALL = [
  { effect: 'NoSchedule', operator: 'Exists' },
  { effect: 'NoExecute', operator: 'Exists' },
] as const;

/** All that the version renders for this configuration, in the order it is applied. */
export function renderTalosManifests(settings: ManifestSettings): readonly KubeObject[] {
  return [
    ...(settings.cniName === 'flannel' ? flannelObjects(settings) : []),
    ...(settings.proxyDisabled ? [] : kubeProxyObjects(settings)),
    ...coreDnsObjects(settings),
  ];
}

function flannelObjects(settings: ManifestSettings): readonly KubeObject[] {
  const labels = { 'k8s-app': 'flannel', tier: 'node' };
  return [
    plain('rbac.authorization.k8s.io/v1', 'ClusterRole', undefined, 'flannel', {}),
    plain('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', undefined, 'flannel', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'flannel' },
      subjects: [{ kind: 'ServiceAccount', name: 'flannel', namespace: 'kube-system' }],
    }),
    plain('v1', 'ServiceAccount', 'kube-system', 'flannel', {}),
    plain(
      'v1',
      'ConfigMap',
      'kube-system',
      'kube-flannel-cfg',
      { data: { 'cni-conf.json': flannelCniConf(), 'net-conf.json': flannelNetConf(settings) } },
      labels,
    ),
    plain(
      'apps/v1',
      'DaemonSet',
      'kube-system',
      'kube-flannel',
      { spec: flannelSpec(settings, labels) },
      labels,
    ),
  ];
}

/** The conflist that init container `install-config` copies to `10-flannel.conflist`. */
function flannelCniConf(): string {
  return JSON.stringify(
    {
      name: 'cbr0',
      cniVersion: '1.0.0',
      plugins: [
        { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  );
}

function flannelNetConf({ podSubnets, talosVersion }: ManifestSettings): string {
  return JSON.stringify(
    {
      Network: podSubnets[0],
      ...(atLeast(talosVersion, '1.14.0-0') ? { EnableNFTables: true } : {}),
      Backend: { Type: 'vxlan', Port: 4789 },
    },
    null,
    2,
  );
}

function flannelSpec(settings: ManifestSettings, labels: Readonly<Record<string, string>>): object {
  const image = `ghcr.io/siderolabs/flannel:${settings.flannelVersion}`;
  const apiEnv =
    settings.kubePrismPort === undefined
      ? []
      : [
          { name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' },
          { name: 'KUBERNETES_SERVICE_PORT', value: String(settings.kubePrismPort) },
        ];
  return {
    selector: { matchLabels: labels },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    template: {
      metadata: { labels },
      spec: {
        hostNetwork: true,
        priorityClassName: CRITICAL,
        serviceAccountName: 'flannel',
        tolerations: TOLERATES_ALL,
        terminationGracePeriodSeconds: 30,
        initContainers: [
          ...installCni(settings.talosVersion),
          {
            name: 'install-config',
            image,
            command: ['cp'],
            args: ['-f', '/etc/kube-flannel/cni-conf.json', '/etc/cni/net.d/10-flannel.conflist'],
            volumeMounts: [
              { name: 'cni', mountPath: '/etc/cni/net.d' },
              { name: 'flannel-cfg', mountPath: '/etc/kube-flannel/' },
            ],
          },
        ],
        containers: [
          {
            name: 'kube-flannel',
            image,
            command: ['/opt/bin/flanneld'],
            args: ['--ip-masq', '--kube-subnet-mgr'],
            env: [
              { name: 'POD_NAME' },
              { name: 'POD_NAMESPACE', value: 'kube-system' },
              { name: 'EVENT_QUEUE_DEPTH', value: '5000' },
              ...apiEnv,
            ],
            securityContext: { privileged: false, capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
            volumeMounts: [
              { name: 'run', mountPath: '/run/flannel' },
              { name: 'flannel-cfg', mountPath: '/etc/kube-flannel/' },
            ],
          },
        ],
        volumes: [
          { name: 'run', hostPath: { path: '/run/flannel' } },
          { name: 'cni', hostPath: { path: '/etc/cni/net.d' } },
          { name: 'cni-bin', hostPath: { path: '/opt/cni/bin' } },
          { name: 'flannel-cfg', configMap: { name: 'kube-flannel-cfg' } },
        ],
      },
    },
  };
}

/** Up to 1.7 the plugins came with the manifest and were copied to /opt; from 1.8 the image has them. */
function installCni(talosVersion: string): readonly object[] {
  if (atLeast(talosVersion, '1.8.0-alpha.0')) return [];
  return [
    {
      name: 'install-cni',
      image: `ghcr.io/siderolabs/install-cni:v${talosVersion}`,
      command: ['/install-cni.sh'],
      volumeMounts: [{ name: 'cni-bin', mountPath: '/host/opt/cni/bin' }],
    },
  ];
}

function kubeProxyObjects(settings: ManifestSettings): readonly KubeObject[] {
  const labels = { 'k8s-app': 'kube-proxy', tier: 'node' };
  // nftables by default for Kubernetes >= 1.31 (talos-and-cni-selection.md 4.4).
  const mode = atLeast(settings.kubernetesVersion, '1.31.0') ? 'nftables' : 'iptables';
  const spec = {
    selector: { matchLabels: labels },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    template: {
      metadata: { labels },
      spec: {
        hostNetwork: true,
        priorityClassName: CRITICAL,
        serviceAccountName: 'kube-proxy',
        tolerations: TOLERATES_ALL,
        containers: [
          {
            name: 'kube-proxy',
            image: `registry.k8s.io/kube-proxy:v${settings.kubernetesVersion}`,
            command: [
              '/usr/local/bin/kube-proxy',
              `--cluster-cidr=${settings.podSubnets.join(',')}`,
              '--conntrack-max-per-core=0',
              '--hostname-override=$(NODE_NAME)',
              '--kubeconfig=/etc/kubernetes/kubeconfig',
              `--proxy-mode=${mode}`,
            ],
            securityContext: { privileged: true },
          },
        ],
        volumes: [{ name: 'kubeconfig', configMap: { name: 'kubeconfig-in-cluster' } }],
      },
    },
  };
  return [
    plain('v1', 'ServiceAccount', 'kube-system', 'kube-proxy', {}),
    plain('apps/v1', 'DaemonSet', 'kube-system', 'kube-proxy', { spec }, labels),
  ];
}

function coreDnsObjects(settings: ManifestSettings): readonly KubeObject[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const service = {
    spec: {
      type: 'ClusterIP',
      clusterIP: settings.clusterDns,
      clusterIPs: [settings.clusterDns],
      selector: labels,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
      ],
    },
  };
  return [
    plain('v1', 'ServiceAccount', 'kube-system', 'coredns', {}),
    plain('v1', 'ConfigMap', 'kube-system', 'coredns', {
      data: { Corefile: corefile(settings.dnsDomain) },
    }),
    plain('apps/v1', 'Deployment', 'kube-system', 'coredns', { spec: coreDnsSpec(labels) }, labels),
    plain('v1', 'Service', 'kube-system', 'kube-dns', service, {
      'k8s-app': 'kube-dns',
      'kubernetes.io/cluster-service': 'true',
      'kubernetes.io/name': 'CoreDNS',
    }),
  ];
}

function corefile(domain: string): string {
  return `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    log . {
        class error
    }
    prometheus :9153
    kubernetes ${domain} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
        disable success ${domain}
        disable denial ${domain}
    }
    loop
    reload
    loadbalance
}
`;
}

function coreDnsSpec(labels: Readonly<Record<string, string>>): object {
  return {
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        priorityClassName: 'system-cluster-critical',
        serviceAccountName: 'coredns',
        dnsPolicy: 'Default',
        tolerations: [
          {
            key: 'node-role.kubernetes.io/control-plane',
            operator: 'Exists',
            effect: 'NoSchedule',
          },
        ],
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 100,
                podAffinityTerm: {
                  labelSelector: { matchLabels: labels },
                  topologyKey: 'kubernetes.io/hostname',
                },
              },
            ],
          },
        },
        containers: [
          {
            name: 'coredns',
            image: 'registry.k8s.io/coredns/coredns:v1.12.1',
            args: ['-conf', '/etc/coredns/Corefile'],
            ports: [
              { name: 'dns', containerPort: 53, protocol: 'UDP' },
              { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
              { name: 'metrics', containerPort: 9153, protocol: 'TCP' },
            ],
            livenessProbe: {
              httpGet: { path: '/health', port: 8080 },
              initialDelaySeconds: 60,
              timeoutSeconds: 5,
              failureThreshold: 5,
            },
            readinessProbe: { httpGet: { path: '/ready', port: 8181 } },
            resources: { requests: { cpu: '100m', memory: '70Mi' } },
          },
        ],
        volumes: [{ name: 'config-volume', configMap: { name: 'coredns' } }],
      },
    },
  };
}

function plain(
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
  name: string,
  rest: Readonly<Record<string, unknown>>,
  labels?: Readonly<Record<string, string>>,
): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
    },
    ...rest,
  };
}
