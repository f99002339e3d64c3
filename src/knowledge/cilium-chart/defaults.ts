/**
 * Defaults of the Cilium chart per minor, for the values regauge reads. A row lists the minors at
 * which a default changed; `ABSENT` is a value the chart does not (or no longer) carry.
 * Source: charts:cilium/values.yaml@1.13.18, 1.14.19, 1.15.19, 1.16.5, 1.17.18, 1.18.12, 1.19.6,
 * 1.20.0 (cilium/charts at 009b5e9).
 */
import { atLeast } from '../../base/versions.ts';
import { coalesceValues, withValue, type ChartValues } from './values.ts';

const ABSENT = Symbol('absent');

type DefaultRow = readonly [
  path: string,
  ...changes: readonly (readonly [since: string, value: unknown])[],
];

const CAPABILITIES = [
  'CHOWN',
  'KILL',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'SYS_MODULE',
  'SYS_ADMIN',
  'SYS_RESOURCE',
  'DAC_OVERRIDE',
  'FOWNER',
  'SETGID',
  'SETUID',
];

const NAMESPACE_CAPABILITIES = ['SYS_ADMIN', 'SYS_CHROOT', 'SYS_PTRACE'];
const ROLLING_TWO = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } };
const exists = (key: string): object => ({ key, operator: 'Exists' });

const OPERATOR_TOLERATIONS_SINCE_1_18 = [
  exists('node-role.kubernetes.io/control-plane'),
  exists('node-role.kubernetes.io/master'),
  exists('node.kubernetes.io/not-ready'),
  exists('node.cloudprovider.kubernetes.io/uninitialized'),
];

const DEFAULTS: readonly DefaultRow[] = [
  ['agent', ['1.13', true]],
  ['agentNotReadyTaintKey', ['1.13', 'node.cilium.io/agent-not-ready']],
  ['autoDirectNodeRoutes', ['1.13', false]],
  ['bpf.autoMount.enabled', ['1.13', true]],
  ['bpf.hostLegacyRouting', ['1.13', null]],
  ['bpf.lbExternalClusterIP', ['1.13', false]],
  ['bpf.masquerade', ['1.13', null]],
  ['bpf.preallocateMaps', ['1.13', false]],
  ['bpf.root', ['1.13', '/sys/fs/bpf']],
  ['bpf.datapathMode', ['1.16', 'veth']],
  ['bpf.enableTCX', ['1.16', true]],
  ['cgroup.autoMount.enabled', ['1.13', true]],
  ['cgroup.hostRoot', ['1.13', '/run/cilium/cgroupv2']],
  ['cluster.id', ['1.13', 0]],
  ['cluster.name', ['1.13', 'default']],
  ['cni.binPath', ['1.13', '/opt/cni/bin']],
  ['cni.chainingMode', ['1.13', 'none'], ['1.14', null]],
  ['cni.chainingTarget', ['1.14', null]],
  ['cni.confFileMountPath', ['1.13', '/tmp/cni-configuration']],
  ['cni.confPath', ['1.13', '/etc/cni/net.d']],
  ['cni.configMapKey', ['1.13', 'cni-config']],
  ['cni.customConf', ['1.13', false]],
  ['cni.exclusive', ['1.13', true]],
  ['cni.hostConfDirMountPath', ['1.13', '/host/etc/cni/net.d']],
  ['cni.install', ['1.13', true]],
  ['cni.logFile', ['1.13', '/var/run/cilium/cilium-cni.log']],
  ['cni.uninstall', ['1.13', true], ['1.14', false]],
  ['configDriftDetection.enabled', ['1.18', true]],
  ['daemon.allowedConfigOverrides', ['1.13', null]],
  ['daemon.blockedConfigOverrides', ['1.13', null]],
  ['daemon.configSources', ['1.13', null]],
  ['daemon.runPath', ['1.13', '/var/run/cilium']],
  ['devices', ['1.20', '']],
  ['disableEndpointCRD', ['1.13', 'false'], ['1.14', false]],
  ['enableIPv4Masquerade', ['1.13', true], ['1.18', null]],
  ['enableIPv6Masquerade', ['1.13', true]],
  ['encryption.enabled', ['1.13', false]],
  ['encryption.nodeEncryption', ['1.13', false]],
  ['encryption.type', ['1.13', 'ipsec']],
  ['endpointHealthChecking.enabled', ['1.13', true]],
  ['endpointRoutes.enabled', ['1.13', false]],
  ['envoy.enabled', ['1.14', false], ['1.16', null]],
  ['envoy.image.repository', ['1.14', 'quay.io/cilium/cilium-envoy']],
  ['envoy.updateStrategy', ['1.14', ROLLING_TWO]],
  ['externalIPs.enabled', ['1.13', false], ['1.17', ABSENT]],
  ['gatewayAPI.enabled', ['1.13', false]],
  ['healthChecking', ['1.13', true]],
  ['healthPort', ['1.13', 9879]],
  ['hostFirewall.enabled', ['1.13', false]],
  ['hostPort.enabled', ['1.13', false], ['1.18', ABSENT]],
  ['hubble.enabled', ['1.13', true]],
  ['hubble.listenAddress', ['1.13', ':4244']],
  ['hubble.relay.enabled', ['1.13', false]],
  ['hubble.socketPath', ['1.13', '/var/run/cilium/hubble.sock']],
  ['hubble.tls.auto.method', ['1.13', 'helm']],
  ['hubble.ui.enabled', ['1.13', false]],
  ['identityAllocationMode', ['1.13', 'crd']],
  ['image.repository', ['1.13', 'quay.io/cilium/cilium']],
  ['ingressController.enabled', ['1.13', false]],
  ['ipMasqAgent.enabled', ['1.13', false]],
  ['ipam.mode', ['1.13', 'cluster-pool']],
  ['ipam.operator.clusterPoolIPv4MaskSize', ['1.13', 24]],
  ['ipam.operator.clusterPoolIPv4PodCIDRList', ['1.13', []], ['1.14', ['10.0.0.0/8']]],
  ['ipam.operator.clusterPoolIPv6MaskSize', ['1.13', 120]],
  ['ipam.operator.clusterPoolIPv6PodCIDRList', ['1.13', []], ['1.14', ['fd00::/104']]],
  ['ipv4.enabled', ['1.13', true]],
  ['ipv4NativeRoutingCIDR', ['1.13', '']],
  ['ipv6.enabled', ['1.13', false]],
  ['ipv6NativeRoutingCIDR', ['1.13', '']],
  ['k8sServiceHost', ['1.13', '']],
  ['k8sServicePort', ['1.13', '']],
  ['kubeProxyReplacement', ['1.18', 'false']],
  ['kubeProxyReplacementHealthzBindAddr', ['1.13', '']],
  ['l7Proxy', ['1.13', true]],
  ['localRedirectPolicy', ['1.13', false]],
  ['MTU', ['1.13', 0]],
  ['name', ['1.13', 'cilium']],
  ['nodePort.bindProtection', ['1.13', true]],
  ['nodePort.enableHealthCheck', ['1.13', true]],
  ['nodePort.enabled', ['1.13', false], ['1.19', ABSENT]],
  ['operator.enabled', ['1.13', true]],
  ['operator.hostNetwork', ['1.13', true]],
  ['operator.image.repository', ['1.13', 'quay.io/cilium/operator']],
  ['operator.removeNodeTaints', ['1.13', true]],
  ['operator.replicas', ['1.13', 2]],
  ['operator.rollOutPods', ['1.13', false]],
  ['operator.setNodeNetworkStatus', ['1.13', true]],
  ['operator.setNodeTaints', ['1.14', null]],
  [
    'operator.tolerations',
    ['1.13', [{ operator: 'Exists' }]],
    ['1.18', OPERATOR_TOLERATIONS_SINCE_1_18],
  ],
  ['operator.unmanagedPodWatcher.intervalSeconds', ['1.13', 15]],
  ['operator.unmanagedPodWatcher.restart', ['1.13', true]],
  ['operator.unmanagedPodWatcher.selector', ['1.19', null]],
  [
    'operator.updateStrategy.rollingUpdate',
    ['1.13', { maxSurge: 1, maxUnavailable: 1 }],
    ['1.14', { maxSurge: '25%', maxUnavailable: '50%' }],
  ],
  ['operator.updateStrategy.type', ['1.13', 'RollingUpdate']],
  ['policyEnforcementMode', ['1.13', 'default']],
  ['preflight.enabled', ['1.13', false]],
  ['readinessProbe.periodSeconds', ['1.13', 30]],
  ['rollOutCiliumPods', ['1.13', false]],
  ['routingMode', ['1.14', '']],
  ['securityContext.capabilities.applySysctlOverwrites', ['1.13', NAMESPACE_CAPABILITIES]],
  [
    'securityContext.capabilities.ciliumAgent',
    ['1.13', CAPABILITIES],
    ['1.19', [...CAPABILITIES, 'SYSLOG']],
  ],
  [
    'securityContext.capabilities.cleanCiliumState',
    ['1.13', ['NET_ADMIN', 'SYS_MODULE', 'SYS_ADMIN', 'SYS_RESOURCE']],
  ],
  ['securityContext.capabilities.mountCgroup', ['1.13', NAMESPACE_CAPABILITIES]],
  ['securityContext.privileged', ['1.13', false]],
  ['serviceAccounts.cilium.name', ['1.13', 'cilium']],
  ['serviceAccounts.envoy.name', ['1.14', 'cilium-envoy']],
  ['serviceAccounts.operator.name', ['1.13', 'cilium-operator']],
  ['socketLB.enabled', ['1.13', false]],
  ['startupProbe.failureThreshold', ['1.13', 105], ['1.18', 300]],
  ['sysctlfix.enabled', ['1.13', true]],
  ['tolerations', ['1.13', [{ operator: 'Exists' }]]],
  ['tunnel', ['1.13', 'vxlan'], ['1.14', ''], ['1.15', ABSENT]],
  ['tunnelPort', ['1.13', 0]],
  ['tunnelProtocol', ['1.14', '']],
  ['underlayProtocol', ['1.18', '']],
  ['updateStrategy', ['1.13', ROLLING_TWO]],
  ['waitForKubeProxy', ['1.13', false]],
];

const cache = new Map<string, ChartValues>();

/** The chart's defaults at a version; older than 1.13 counts as 1.13. */
function chartDefaults(version: string): ChartValues {
  const cached = cache.get(version);
  if (cached !== undefined) return cached;
  let values: ChartValues = {};
  for (const [path, ...changes] of DEFAULTS) {
    const value = defaultAt(version, changes);
    if (value !== ABSENT) values = withValue(values, path, value);
  }
  cache.set(version, values);
  return values;
}

function defaultAt(
  version: string,
  changes: readonly (readonly [since: string, value: unknown])[],
): unknown {
  const [, floor] = changes[0] ?? ['', ABSENT];
  const applying = changes.filter(([since]) => atLeast(version, since));
  const latest = applying.at(-1);
  if (latest !== undefined) return latest[1];
  return changes[0]?.[0] === '1.13' ? floor : ABSENT;
}

/** User values over the defaults of the version, as Helm merges them. */
export function mergedValues(version: string, user: ChartValues): ChartValues {
  return coalesceValues(chartDefaults(version), user);
}

/** The chart's default of one value; undefined where it has none. */
export function defaultOf(version: string, path: string): unknown {
  return path.split('.').reduce<unknown>((node, part) => {
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, part)) return undefined;
    return (node as ChartValues)[part];
  }, chartDefaults(version));
}
