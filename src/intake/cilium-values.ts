/**
 * Telling the Cilium chart's values from any other mapping. There is no marker in a values file, so
 * its keys decide; the list holds keys of charts 1.13 to 1.20 (charts:cilium/values.yaml), those
 * that were removed included, since finding them is what `check` is for.
 */
import { isTable } from './intake.ts';

/** Keys that no other chart in common use has at its top level. */
const DISTINCTIVE = new Set(
  (
    'kubeProxyReplacement kubeProxyReplacementHealthzBindAddr k8sServiceHost k8sServicePort ' +
    'tunnelPort tunnelProtocol tunnel routingMode autoDirectNodeRoutes ipv4NativeRoutingCIDR ' +
    'ipv6NativeRoutingCIDR enableIPv4Masquerade enableIPv6Masquerade hubble bandwidthManager ' +
    'l2announcements l2NeighDiscovery socketLB hostFirewall policyEnforcementMode policyAuditMode ' +
    'ciliumEndpointSlice bgpControlPlane upgradeCompatibility rollOutCiliumPods endpointRoutes ' +
    'l7Proxy dnsProxy clustermesh enableCiliumEndpointSlice enableRuntimeDeviceDetection ' +
    'externalWorkloads highScaleIPcache localRedirectPolicy svcSourceRangeCheck ' +
    'enableXTSocketFallback installNoConntrackIptablesRules ipMasqAgent egressGateway nodeinit ' +
    'endpointHealthChecking healthChecking preflight cleanState cleanBpfState agentNotReadyTaintKey ' +
    'bpf cgroup ipam containerRuntime wellKnownIdentities endpointStatus disableEndpointCRD ' +
    'identityAllocationMode enableCriticalPriorityClass authentication sctp vtep monitor ' +
    'enableLBIPAM underlayProtocol bpfClockProbe pmtuDiscovery remoteNodeIdentity ' +
    'enableK8sEventHandover enableCnpStatusUpdates wireguard sockops azure alibabacloud eni gke'
  ).split(' '),
);

/** Keys the chart has and others may have too. */
const SHARED = new Set(
  (
    'cni nodePort hostPort externalIPs operator envoy ipv4 ipv6 cluster securityContext image ' +
    'imagePullSecrets tolerations affinity nodeSelector resources debug encryption ingressController ' +
    'gatewayAPI loadBalancer prometheus dashboards extraArgs extraConfig extraEnv extraVolumes ' +
    'extraVolumeMounts extraHostPathMounts serviceAccounts priorityClassName updateStrategy ' +
    'podAnnotations podLabels annotations tls etcd k8s kubeConfig devices MTU agent name ' +
    'namespaceOverride nodeIPAM sysctlfix terminationGracePeriodSeconds global upgrade bgp ' +
    'serviceNoBackendResponse customCalls proxy certgen logOptions k8sClientRateLimit crdWaitTimeout'
  ).split(' '),
);

/** True when the mapping's keys are those of the Cilium chart. */
export function isCiliumValues(value: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(value);
  const distinctive = keys.filter((key) => isDistinctive(key, value[key])).length;
  const shared = keys.filter((key) => SHARED.has(key)).length;
  return distinctive > 0 && (distinctive + shared) * 2 >= keys.length;
}

function isDistinctive(key: string, value: unknown): boolean {
  if (DISTINCTIVE.has(key)) return true;
  if (!isTable(value)) return false;
  if (key === 'cni')
    return 'exclusive' in value || 'customConf' in value || 'chainingMode' in value;
  if (key === 'operator') return 'unmanagedPodWatcher' in value || 'removeNodeTaints' in value;
  if (key === 'securityContext')
    return isTable(value['capabilities']) && 'ciliumAgent' in value['capabilities'];
  return false;
}

const VERSION = String.raw`v?(\d+\.\d+\.\d+(?:-(?:rc|pre|snapshot)\.\d+)?)(?![\w.]*[\w/])`;

/** `# cilium v1.16.5`, `# Cilium chart version: 1.16.5`, `# helm … cilium/cilium --version 1.16.5`. */
const VERSION_COMMENT = new RegExp(
  String.raw`^[ \t]*#.*(?:\bcilium\b(?:\s+(?:helm|chart|version|release))*\s*[:=@-]?\s*|\bcilium\b.*--version[ =])${VERSION}`,
  'im',
);

export function versionInComments(
  text: string,
): { readonly version: string; readonly offset: number } | undefined {
  const match = VERSION_COMMENT.exec(text.slice(0, 64 * 1024));
  const version = match?.[1];
  if (match === null || version === undefined) return undefined;
  return { version, offset: match.index + match[0].lastIndexOf(version) };
}
