/**
 * Values that are put to every chart: what the hazards judge, and what people write. A hazard that is
 * named must speak of a refusal exactly where Helm refuses.
 */
import { withValue } from '../../../src/knowledge/cilium-chart/values.ts';
import type { Values } from './helm.ts';

export interface ValueCase {
  readonly id: string;
  /** By dotted path. */
  readonly set: Readonly<Record<string, unknown>>;
  /** The values as a tree, instead. */
  readonly values?: Values;
  /** First chart it is put to: earlier ones fall over values without a word of their own. */
  readonly since?: string;
  /** Refused values are a failure by themselves. */
  readonly mustRender?: boolean;
  /** The hazard that foretells the refusal. */
  readonly hazard?: string;
}

export function valuesOf(set: Readonly<Record<string, unknown>>): Values {
  return Object.entries(set).reduce<Values>(
    (values, [path, value]) => withValue(values, path, value),
    {},
  );
}

const KPR = 'kubeProxyReplacement';
const SPELLING = 'kube-proxy-replacement-spelling';
const CAPABILITIES = 'securityContext.capabilities';
const NO_LIST = 'capabilities-not-a-list';
const REFUSED = 'chart-refuses-values';
const API = { k8sServiceHost: 'localhost', k8sServicePort: 7445 };
const NATIVE = { routingMode: 'native', ipv4NativeRoutingCIDR: '10.244.0.0/16' };

const REPLACEMENT: readonly ValueCase[] = [
  ...[true, false, 'true', 'false', 'strict', 'partial', 'probe', 'disabled', 'yes', 1].map(
    (value) => ({
      id: `kube-proxy-replacement-${typeof value}-${String(value)}`,
      set: { [KPR]: value },
      hazard: SPELLING,
    }),
  ),
  { id: 'kube-proxy-replacement-null', set: { [KPR]: null } },
  { id: 'kube-proxy-replacement-with-api', set: { [KPR]: true, ...API } },
  {
    id: 'single-services-beside-kube-proxy',
    set: {
      [KPR]: false,
      'nodePort.enabled': true,
      'hostPort.enabled': true,
      'externalIPs.enabled': true,
      'socketLB.enabled': true,
    },
  },
  { id: 'single-services-under-replacement', set: { [KPR]: true, 'nodePort.enabled': true } },
  {
    id: 'health-address',
    set: { [KPR]: true, kubeProxyReplacementHealthzBindAddr: '0.0.0.0:10256' },
  },
];

const CNI: readonly ValueCase[] = [
  { id: 'custom-conf', set: { 'cni.customConf': true } },
  { id: 'custom-conf-not-exclusive', set: { 'cni.customConf': true, 'cni.exclusive': false } },
  { id: 'custom-conf-from-config-map', set: { 'cni.customConf': true, 'cni.configMap': 'cni' } },
  { id: 'conf-from-config-map', set: { 'cni.configMap': 'cni', 'cni.configMapKey': 'conf' } },
  { id: 'read-conf', set: { 'cni.customConf': true, 'cni.readCniConf': '/host/etc/cni/net.d/1' } },
  { id: 'not-exclusive', set: { 'cni.exclusive': false } },
  { id: 'not-installed', set: { 'cni.install': false } },
  { id: 'uninstalled', set: { 'cni.uninstall': true } },
  { id: 'conf-path', set: { 'cni.confPath': '/var/lib/cni', 'cni.binPath': '/var/lib/cni/bin' } },
  { id: 'log-file', set: { 'cni.logFile': '/var/log/cni.log' } },
  ...['portmap', 'generic-veth', 'aws-cni', 'flannel', 'none'].map((mode) => ({
    id: `chained-${mode}`,
    set: { 'cni.chainingMode': mode },
  })),
  { id: 'chained-target', set: { 'cni.chainingTarget': 'flannel' } },
  {
    id: 'external-routing',
    set: { 'cni.chainingMode': 'generic-veth', 'cni.externalRouting': true },
  },
];

const ROUTING: readonly ValueCase[] = [
  ...['vxlan', 'geneve', 'disabled'].map((tunnel) => ({
    id: `tunnel-${tunnel}`,
    set: { tunnel },
    hazard: 'chart-value-removed',
  })),
  { id: 'tunnel-protocol-vxlan', set: { tunnelProtocol: 'vxlan' } },
  { id: 'tunnel-protocol-geneve', set: { routingMode: 'tunnel', tunnelProtocol: 'geneve' } },
  { id: 'tunnel-port', set: { tunnelPort: 8473 } },
  { id: 'tunnel-port-text', set: { tunnelPort: '8473' }, hazard: REFUSED },
  { id: 'native', set: NATIVE },
  { id: 'native-direct', set: { ...NATIVE, autoDirectNodeRoutes: true } },
  { id: 'native-without-range', set: { routingMode: 'native' }, hazard: REFUSED },
  {
    id: 'native-without-range-masqueraded',
    set: { routingMode: 'native', enableIPv4Masquerade: true },
    hazard: REFUSED,
  },
  { id: 'native-unmasqueraded', set: { routingMode: 'native', enableIPv4Masquerade: false } },
  { id: 'native-ip-masq-agent', set: { routingMode: 'native', 'ipMasqAgent.enabled': true } },
  { id: 'native-ipv6-without-range', set: { ...NATIVE, 'ipv6.enabled': true }, hazard: REFUSED },
  { id: 'endpoint-routes', set: { 'endpointRoutes.enabled': true } },
  { id: 'bpf-masquerade', set: { 'bpf.masquerade': true } },
  { id: 'bpf-masquerade-replacing', set: { 'bpf.masquerade': true, [KPR]: true, ...API } },
  { id: 'host-legacy-routing', set: { 'bpf.hostLegacyRouting': true } },
  { id: 'host-routing-explicit', set: { 'bpf.hostLegacyRouting': false } },
  { id: 'unmasqueraded', set: { enableIPv4Masquerade: false } },
  { id: 'masqueraded', set: { enableIPv4Masquerade: true } },
  { id: 'mtu', set: { MTU: 1450 } },
  { id: 'mtu-text', set: { MTU: '1450' }, hazard: REFUSED },
  { id: 'devices-list', set: { devices: ['eth0', 'eth1'] } },
  { id: 'devices-text', set: { devices: 'eth+' } },
  { id: 'direct-routing-device', set: { 'nodePort.directRoutingDevice': 'eth0' } },
  { id: 'dsr', set: { [KPR]: true, 'loadBalancer.mode': 'dsr', ...NATIVE } },
];

const IPAM: readonly ValueCase[] = [
  ...[
    'kubernetes',
    'cluster-pool',
    'multi-pool',
    'cluster-pool-v2beta',
    'crd',
    'delegated-plugin',
  ].map((mode) => ({ id: `ipam-${mode}`, set: { 'ipam.mode': mode } })),
  { id: 'ipam-eni', set: { 'ipam.mode': 'eni', 'eni.enabled': true } },
  { id: 'ipam-eni-not-enabled', set: { 'ipam.mode': 'eni' }, hazard: REFUSED },
  {
    id: 'pool',
    set: {
      'ipam.operator.clusterPoolIPv4PodCIDRList': ['10.245.0.0/16', '10.246.0.0/16'],
      'ipam.operator.clusterPoolIPv4MaskSize': 25,
    },
  },
  { id: 'pool-text', set: { 'ipam.operator.clusterPoolIPv4PodCIDRList': '10.245.0.0/16' } },
  { id: 'pool-mask-text', set: { 'ipam.operator.clusterPoolIPv4MaskSize': '25' }, hazard: REFUSED },
  {
    id: 'pool-single-spelling',
    set: { 'ipam.operator.clusterPoolIPv4PodCIDR': '10.245.0.0/16' },
    hazard: 'chart-value-removed',
  },
  { id: 'dual-stack', set: { 'ipv6.enabled': true } },
  { id: 'ipv6-only', set: { 'ipv4.enabled': false, 'ipv6.enabled': true } },
];

const OPERATOR: readonly ValueCase[] = [
  { id: 'one-operator', set: { 'operator.replicas': 1 } },
  { id: 'no-operator', set: { 'operator.enabled': false } },
  { id: 'operator-on-pod-network', set: { 'operator.hostNetwork': false } },
  { id: 'no-watcher', set: { 'operator.unmanagedPodWatcher.restart': false } },
  { id: 'watcher-interval', set: { 'operator.unmanagedPodWatcher.intervalSeconds': 30 } },
  { id: 'watcher-selector', set: { 'operator.unmanagedPodWatcher.selector': 'app=dns' } },
  { id: 'taints-kept', set: { 'operator.removeNodeTaints': false } },
  { id: 'taints-not-set', set: { 'operator.setNodeTaints': false } },
  {
    id: 'taints-set-and-kept',
    set: { 'operator.setNodeTaints': true, 'operator.removeNodeTaints': false },
    hazard: REFUSED,
  },
  { id: 'no-network-status', set: { 'operator.setNodeNetworkStatus': false } },
  { id: 'taint-key', set: { agentNotReadyTaintKey: 'example.org/not-ready' } },
  { id: 'rolled-out', set: { rollOutCiliumPods: true, 'operator.rollOutPods': true } },
  { id: 'preflight', set: { 'preflight.enabled': true, agent: false, 'operator.enabled': false } },
  { id: 'no-agent', set: { agent: false } },
];

const SECURITY: readonly ValueCase[] = [
  ...['ciliumAgent', 'cleanCiliumState', 'mountCgroup', 'applySysctlOverwrites'].map((role) => ({
    id: `capabilities-text-${role}`,
    set: { [`${CAPABILITIES}.${role}`]: '{CHOWN,KILL,NET_ADMIN}' },
    hazard: NO_LIST,
  })),
  {
    id: 'capabilities-list',
    set: { [`${CAPABILITIES}.ciliumAgent`]: ['CHOWN', 'NET_ADMIN', 'SYS_ADMIN'] },
    hazard: NO_LIST,
  },
  { id: 'privileged', set: { 'securityContext.privileged': true } },
  { id: 'policy-always', set: { policyEnforcementMode: 'always' } },
  { id: 'policy-audit', set: { policyAuditMode: true } },
  { id: 'policy-cidr-match', set: { policyCIDRMatchMode: ['nodes'] } },
  { id: 'host-firewall', set: { 'hostFirewall.enabled': true } },
  { id: 'ipsec', set: { 'encryption.enabled': true, 'encryption.type': 'ipsec' } },
  { id: 'wireguard', set: { 'encryption.enabled': true, 'encryption.type': 'wireguard' } },
  {
    id: 'wireguard-nodes',
    set: {
      'encryption.enabled': true,
      'encryption.type': 'wireguard',
      'encryption.nodeEncryption': true,
    },
  },
  { id: 'no-l7', set: { l7Proxy: false } },
  { id: 'envoy-apart', set: { 'envoy.enabled': true } },
  { id: 'envoy-inside', set: { 'envoy.enabled': false } },
  { id: 'upgraded-from-1.15', set: { upgradeCompatibility: '1.15' } },
  {
    id: 'gateway-without-l7',
    set: { 'gatewayAPI.enabled': true, l7Proxy: false },
    hazard: REFUSED,
  },
];

const REST: readonly ValueCase[] = [
  { id: 'defaults', set: {} },
  { id: 'no-hubble', set: { 'hubble.enabled': false } },
  {
    id: 'relay-without-hubble',
    set: { 'hubble.enabled': false, 'hubble.relay.enabled': true },
    hazard: REFUSED,
  },
  { id: 'ui-without-relay', set: { 'hubble.ui.enabled': true }, hazard: REFUSED },
  { id: 'hubble-ui', set: { 'hubble.ui.enabled': true, 'hubble.relay.enabled': true } },
  { id: 'cluster', set: { 'cluster.name': 'lab', 'cluster.id': 7 } },
  { id: 'cluster-default-with-id', set: { 'cluster.id': 7 }, hazard: REFUSED },
  { id: 'cluster-capitals', set: { 'cluster.name': 'Lab_1' }, hazard: REFUSED },
  { id: 'cluster-long', set: { 'cluster.name': 'a'.repeat(33) }, hazard: REFUSED },
  { id: 'cluster-empty', set: { 'cluster.name': '' }, hazard: REFUSED },
  {
    id: 'cluster-long-upgraded',
    set: { 'cluster.name': 'a'.repeat(33), upgradeCompatibility: '1.15' },
    hazard: REFUSED,
  },
  { id: 'quoted-boolean', set: { 'hubble.enabled': 'false' }, hazard: REFUSED },
  {
    id: 'wrong-types',
    since: '1.16.0',
    set: {
      MTU: 1.5,
      cni: [],
      'cluster.id': 'x',
      'envoy.enabled': 3,
      kubeProxyReplacement: ['true'],
      'ipam.operator.clusterPoolIPv4PodCIDRList': 5,
      upgradeCompatibility: 1.15,
    },
  },
  { id: 'quoted-exclusive', set: { 'cni.exclusive': 'false' }, hazard: REFUSED },
  { id: 'unknown-key', set: { cniExclusive: false, 'cni.exclusif': false } },
  { id: 'extra-config', set: { extraConfig: { 'enable-foo': 'true', debug: 'true' } } },
  { id: 'config-sources', set: { 'daemon.configSources': 'config-map:cilium-config' } },
  { id: 'config-overrides', set: { 'daemon.allowedConfigOverrides': 'debug' } },
  { id: 'run-path', set: { 'daemon.runPath': '/var/run/other' } },
  { id: 'crd-disabled', set: { disableEndpointCRD: true } },
  { id: 'no-health', set: { healthChecking: false, 'endpointHealthChecking.enabled': false } },
  { id: 'local-redirect', set: { localRedirectPolicy: true } },
  { id: 'socket-lb-host-only', set: { 'socketLB.hostNamespaceOnly': true } },
  { id: 'debug', set: { 'debug.enabled': true } },
  { id: 'local-redirect-policies', set: { 'localRedirectPolicies.enabled': true } },
  { id: 'gke', set: { 'gke.enabled': true, ipv4NativeRoutingCIDR: '10.0.0.0/8' } },
  { id: 'image-tag', set: { 'image.tag': 'v1.2.3', 'image.useDigest': false } },
  { id: 'waits-for-kube-proxy', set: { waitForKubeProxy: true } },
  { id: 'bpf-not-mounted', set: { 'bpf.autoMount.enabled': false } },
  { id: 'no-sysctl-fix', set: { 'sysctlfix.enabled': false } },
  {
    id: 'talos-guide',
    set: {
      'ipam.mode': 'kubernetes',
      [KPR]: true,
      ...API,
      'cgroup.autoMount.enabled': false,
      'cgroup.hostRoot': '/sys/fs/cgroup',
      [`${CAPABILITIES}.ciliumAgent`]: [
        'CHOWN',
        'KILL',
        'NET_ADMIN',
        'NET_RAW',
        'IPC_LOCK',
        'SYS_ADMIN',
      ],
      [`${CAPABILITIES}.cleanCiliumState`]: ['NET_ADMIN', 'SYS_ADMIN', 'SYS_RESOURCE'],
    },
  },
  {
    id: 'migration-guide',
    set: {
      'operator.unmanagedPodWatcher.restart': false,
      routingMode: 'tunnel',
      tunnelProtocol: 'vxlan',
      tunnelPort: 8473,
      'cni.customConf': true,
      'cni.uninstall': false,
      'ipam.mode': 'cluster-pool',
      'ipam.operator.clusterPoolIPv4PodCIDRList': ['10.245.0.0/16'],
      policyEnforcementMode: 'never',
      'bpf.hostLegacyRouting': true,
    },
  },
];

export const VALUE_CASES: readonly ValueCase[] = [
  ...REPLACEMENT,
  ...CNI,
  ...ROUTING,
  ...IPAM,
  ...OPERATOR,
  ...SECURITY,
  ...REST,
];
