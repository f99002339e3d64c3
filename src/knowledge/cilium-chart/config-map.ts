/**
 * The keys of ConfigMap `cilium-config` that decide about CNI conf, IPAM, data path and policies.
 * Keys outside that (Hubble exports, cloud IPAM, BGP, …) are left out. Source:
 * charts:cilium/templates/cilium-configmap.yaml@1.13.18, 1.14.19, 1.15.19, 1.16.5 … 1.20.0.
 */
import { atLeast } from '../../base/versions.ts';
import { CILIUM_CONF } from '../node-paths.ts';
import { kubeProxyReplacementText } from './kube-proxy-replacement.ts';
import { isTruthy, listValue, showValue, valueAt, type ChartValues } from './values.ts';

export type ConfigData = Readonly<Record<string, string>>;

/** The data of `cilium-config` for merged values; never fails, whatever the values are. */
export function ciliumConfigData(version: string, values: ChartValues): ConfigData {
  const data: Record<string, string> = {
    ...baseKeys(version, values),
    ...datapathKeys(version, values),
    ...routingKeys(version, values),
    ...serviceKeys(version, values),
    ...cniKeys(values),
    ...ipamKeys(values),
    ...operatorKeys(version, values),
  };
  const extra = valueAt(values, 'extraConfig');
  if (extra !== null && typeof extra === 'object') {
    for (const [key, value] of Object.entries(extra)) data[key] = showValue(value);
  }
  return data;
}

/** The conf path the agent is told to write, when it manages the conf at all. */
export function writePath(values: ChartValues): string | undefined {
  const customConf = isTruthy(valueAt(values, 'cni.customConf'));
  const managed = !customConf && isTruthy(valueAt(values, 'cni.install'));
  const legacy = customConf && isTruthy(valueAt(values, 'cni.configMap'));
  if (!managed && !legacy) return undefined;
  return `${text(values, 'cni.hostConfDirMountPath')}/${CILIUM_CONF}`;
}

export function chainingMode(values: ChartValues): string {
  const mode = valueAt(values, 'cni.chainingMode');
  if (mode !== undefined && mode !== null) return showValue(mode);
  const target = valueAt(values, 'cni.chainingTarget');
  return target === undefined || target === null ? 'none' : 'generic-veth';
}

/**
 * Whether Envoy runs as a DaemonSet of its own: by default for first installs of 1.16 or later
 * (charts:cilium/templates/_helpers.tpl@1.16.5, envoyDaemonSetEnabled).
 */
export function hasEnvoyDaemonSet(version: string, values: ChartValues): boolean {
  if (!atLeast(version, '1.14.0') || !isTruthy(valueAt(values, 'l7Proxy'))) return false;
  const enabled = valueAt(values, 'envoy.enabled');
  if (enabled !== undefined && enabled !== null) return isTruthy(enabled);
  const compatibility = showValue(valueAt(values, 'upgradeCompatibility'));
  return atLeast(version, '1.16.0') && (compatibility === '' || atLeast(compatibility, '1.16'));
}

function text(values: ChartValues, path: string): string {
  return showValue(valueAt(values, path));
}

/** The key when the value is set to anything but null. */
function given(values: ChartValues, path: string, key: string): Record<string, string> {
  const value = valueAt(values, path);
  return value === undefined || value === null ? {} : { [key]: showValue(value) };
}

/** The key when a template would take the value for true. */
function truthy(values: ChartValues, path: string, key: string): Record<string, string> {
  return isTruthy(valueAt(values, path)) ? { [key]: text(values, path) } : {};
}

function policyCidrMatchMode(version: string, values: ChartValues): Record<string, string> {
  const mode = valueAt(values, 'policyCIDRMatchMode');
  if (!atLeast(version, '1.15.0') || mode === undefined || mode === null) return {};
  const text = Array.isArray(mode) ? listValue(mode).join(' ') : showValue(mode);
  return { 'policy-cidr-match-mode': text };
}

function baseKeys(version: string, values: ChartValues): Record<string, string> {
  return {
    'identity-allocation-mode': text(values, 'identityAllocationMode'),
    debug: text(values, 'debug.enabled') || 'false',
    'enable-policy': text(values, 'policyEnforcementMode').toLowerCase(),
    ...policyCidrMatchMode(version, values),
    ...given(values, 'policyAuditMode', 'policy-audit-mode'),
    'enable-ipv4': text(values, 'ipv4.enabled'),
    'enable-ipv6': text(values, 'ipv6.enabled'),
    'cluster-name': text(values, 'cluster.name'),
    'cluster-id': text(values, 'cluster.id'),
    ...(isTruthy(valueAt(values, 'disableEndpointCRD')) &&
    text(values, 'disableEndpointCRD') === 'true'
      ? { 'disable-endpoint-crd': 'true' }
      : {}),
    ...given(values, 'healthChecking', 'enable-health-checking'),
    'enable-endpoint-health-checking': String(
      isTruthy(valueAt(values, 'endpointHealthChecking.enabled')) &&
        ['none', 'portmap'].includes(chainingMode(values)),
    ),
    ...(isTruthy(valueAt(values, 'hubble.enabled'))
      ? {
          'enable-hubble': text(values, 'hubble.enabled'),
          'hubble-socket-path': text(values, 'hubble.socketPath'),
          ...given(values, 'hubble.listenAddress', 'hubble-listen-address'),
        }
      : {}),
  };
}

function datapathKeys(version: string, values: ChartValues): Record<string, string> {
  const encrypted = isTruthy(valueAt(values, 'encryption.enabled'));
  const type = text(values, 'encryption.type');
  return {
    ...(valueAt(values, 'bpf.hostLegacyRouting') === undefined ||
    valueAt(values, 'bpf.hostLegacyRouting') === null
      ? chainingMode(values) === 'none'
        ? {}
        : { 'enable-host-legacy-routing': 'true' }
      : { 'enable-host-legacy-routing': text(values, 'bpf.hostLegacyRouting') }),
    ...given(values, 'bpf.masquerade', 'enable-bpf-masquerade'),
    'enable-ipv4-masquerade': masqueradesIpv4(version, values),
    'enable-ipv6-masquerade': text(values, 'enableIPv6Masquerade'),
    'preallocate-bpf-maps': text(values, 'bpf.preallocateMaps'),
    ...(atLeast(version, '1.16.0')
      ? {
          ...given(values, 'bpf.datapathMode', 'datapath-mode'),
          ...given(values, 'bpf.enableTCX', 'enable-tcx'),
        }
      : {}),
    ...given(values, 'l7Proxy', 'enable-l7-proxy'),
    ...(atLeast(version, '1.14.0')
      ? { 'external-envoy-proxy': String(hasEnvoyDaemonSet(version, values)) }
      : {}),
    ...truthy(values, 'MTU', 'mtu'),
    ...deviceKeys(values),
    ...(encrypted && type === 'ipsec' ? { 'enable-ipsec': 'true' } : {}),
    ...(encrypted && type === 'wireguard' ? { 'enable-wireguard': 'true' } : {}),
    ...(isTruthy(valueAt(values, 'ipMasqAgent.enabled')) ? { 'enable-ip-masq-agent': 'true' } : {}),
    ...(isTruthy(valueAt(values, 'hostFirewall.enabled'))
      ? { 'enable-host-firewall': 'true' }
      : {}),
  };
}

/** Unset, as by default since 1.18, it is on, and off on AWS interfaces. */
export function masqueradesIpv4(version: string, values: ChartValues): string {
  const given = valueAt(values, 'enableIPv4Masquerade');
  if (given !== undefined && given !== null) return showValue(given);
  const interfaces = atLeast(version, '1.18.0') && isTruthy(valueAt(values, 'eni.enabled'));
  return String(!interfaces);
}

function deviceKeys(values: ChartValues): Record<string, string> {
  const devices = listValue(valueAt(values, 'devices'));
  return devices.length === 0 ? {} : { devices: devices.join(' ') };
}

/** 1.13 has `tunnel`; since 1.14 `routing-mode` and `tunnel-protocol`. */
function routingKeys(version: string, values: ChartValues): Record<string, string> {
  const shared = {
    ...truthy(values, 'tunnelPort', 'tunnel-port'),
    ...truthy(values, 'ipv4NativeRoutingCIDR', 'ipv4-native-routing-cidr'),
    ...truthy(values, 'ipv6NativeRoutingCIDR', 'ipv6-native-routing-cidr'),
    'auto-direct-node-routes': text(values, 'autoDirectNodeRoutes'),
    ...(isTruthy(valueAt(values, 'endpointRoutes.enabled'))
      ? { 'enable-endpoint-routes': 'true' }
      : {}),
  };
  if (!atLeast(version, '1.14.0')) return { tunnel: text(values, 'tunnel'), ...shared };
  const mode = text(values, 'routingMode');
  const legacy = atLeast(version, '1.15.0') ? '' : text(values, 'tunnel');
  const protocol = text(values, 'tunnelProtocol');
  const cloud =
    isTruthy(valueAt(values, 'gke.enabled')) ||
    (atLeast(version, '1.19.0') && isTruthy(valueAt(values, 'eni.enabled')));
  const native = legacy === 'disabled' || cloud;
  const routing =
    mode !== ''
      ? { 'routing-mode': mode }
      : native
        ? { 'routing-mode': 'native' }
        : { 'routing-mode': 'tunnel', 'tunnel-protocol': legacy === '' ? 'vxlan' : legacy };
  return {
    ...routing,
    ...(protocol === '' ? {} : { 'tunnel-protocol': protocol }),
    ...(atLeast(version, '1.18.0') ? truthy(values, 'underlayProtocol', 'underlay-protocol') : {}),
    ...shared,
  };
}

/** The single flags exist beside a partial or absent replacement only, and leave chart by chart. */
function serviceKeys(version: string, values: ChartValues): Record<string, string> {
  const replacement = kubeProxyReplacementText(version, values);
  const single = atLeast(version, '1.14.0')
    ? ['partial', 'false'].includes(replacement)
    : replacement === 'partial';
  const flag = (path: string, key: string, gone: string): Record<string, string> =>
    single && !atLeast(version, gone) ? given(values, path, key) : {};
  return {
    'kube-proxy-replacement': replacement,
    ...(replacement === 'true' || (!atLeast(version, '1.17.0') && replacement !== 'disabled')
      ? {
          'kube-proxy-replacement-healthz-bind-address': text(
            values,
            'kubeProxyReplacementHealthzBindAddr',
          ),
        }
      : {}),
    ...given(values, 'socketLB.enabled', 'bpf-lb-sock'),
    ...given(values, 'socketLB.hostNamespaceOnly', 'bpf-lb-sock-hostns-only'),
    ...flag('hostPort.enabled', 'enable-host-port', '1.18.0'),
    ...flag('externalIPs.enabled', 'enable-external-ips', '1.17.0'),
    ...flag('nodePort.enabled', 'enable-node-port', '1.19.0'),
    ...given(values, 'nodePort.directRoutingDevice', 'direct-routing-device'),
    ...given(values, 'loadBalancer.mode', 'bpf-lb-mode'),
    ...(atLeast(version, '1.20.0')
      ? truthy(values, 'k8s.apiServerURLs', 'k8s-api-server-urls')
      : {}),
    ...localRedirect(version, values),
  };
}

/** As written up to 1.17; since then the key is there when either spelling asks for it. */
function localRedirect(version: string, values: ChartValues): Record<string, string> {
  const key = 'enable-local-redirect-policy';
  if (!atLeast(version, '1.18.0')) return given(values, 'localRedirectPolicy', key);
  const on =
    isTruthy(valueAt(values, 'localRedirectPolicies.enabled')) ||
    isTruthy(valueAt(values, 'localRedirectPolicy'));
  return on ? { [key]: 'true' } : {};
}

/** `write-cni-conf-when-ready`, `cni-exclusive` and `cni-log-file` appear only without customConf. */
function cniKeys(values: ChartValues): Record<string, string> {
  const path = writePath(values);
  const managed = !isTruthy(valueAt(values, 'cni.customConf'));
  const mode = chainingMode(values);
  return {
    'custom-cni-conf': text(values, 'cni.customConf'),
    ...(isTruthy(valueAt(values, 'cni.configMap'))
      ? {
          'read-cni-conf': `${text(values, 'cni.confFileMountPath')}/${text(values, 'cni.configMapKey')}`,
        }
      : truthy(values, 'cni.readCniConf', 'read-cni-conf')),
    ...(path === undefined ? {} : { 'write-cni-conf-when-ready': path }),
    ...(path !== undefined && managed
      ? {
          'cni-exclusive': text(values, 'cni.exclusive'),
          'cni-log-file': text(values, 'cni.logFile'),
        }
      : {}),
    ...(isTruthy(valueAt(values, 'cni.uninstall')) ? { 'cni-uninstall': 'true' } : {}),
    ...given(values, 'cni.chainingTarget', 'cni-chaining-target'),
    ...given(values, 'cni.externalRouting', 'cni-external-routing'),
    ...(mode === 'none'
      ? {}
      : {
          'cni-chaining-mode': mode,
          ...(mode === 'portmap' ? {} : { 'enable-local-node-route': 'false' }),
        }),
  };
}

function ipamKeys(values: ChartValues): Record<string, string> {
  const mode = text(values, 'ipam.mode') || 'cluster-pool';
  if (mode !== 'cluster-pool') return { ipam: mode };
  const pool = (family: 'IPv4' | 'IPv6'): Record<string, string> => ({
    [`cluster-pool-${family.toLowerCase()}-cidr`]: listValue(
      valueAt(values, `ipam.operator.clusterPool${family}PodCIDRList`),
    ).join(' '),
    [`cluster-pool-${family.toLowerCase()}-mask-size`]: text(
      values,
      `ipam.operator.clusterPool${family}MaskSize`,
    ),
  });
  return {
    ipam: mode,
    ...(isTruthy(valueAt(values, 'ipv4.enabled')) ? pool('IPv4') : {}),
    ...(isTruthy(valueAt(values, 'ipv6.enabled')) ? pool('IPv6') : {}),
  };
}

function operatorKeys(version: string, values: ChartValues): Record<string, string> {
  const remove = isTruthy(valueAt(values, 'operator.removeNodeTaints'));
  const set = valueAt(values, 'operator.setNodeTaints');
  const watching = isTruthy(valueAt(values, 'operator.unmanagedPodWatcher.restart'));
  const interval = text(values, 'operator.unmanagedPodWatcher.intervalSeconds');
  return {
    ...(remove ? { 'remove-cilium-node-taints': 'true' } : {}),
    ...(atLeast(version, '1.14.0') &&
    (isTruthy(set) || ((set === undefined || set === null) && remove))
      ? { 'set-cilium-node-taints': 'true' }
      : {}),
    ...(isTruthy(valueAt(values, 'operator.setNodeNetworkStatus'))
      ? { 'set-cilium-is-up-condition': 'true' }
      : {}),
    // A duration since the 1.19 operator (knowledge/cilium-and-flannel.md section 7).
    'unmanaged-pod-watcher-interval': watching
      ? atLeast(version, '1.19.0')
        ? `${interval}s`
        : interval
      : '0',
    ...(atLeast(version, '1.19.0')
      ? given(values, 'operator.unmanagedPodWatcher.selector', 'pod-restart-selector')
      : {}),
    'agent-not-ready-taint-key': text(values, 'agentNotReadyTaintKey'),
  };
}
