/**
 * The settings that follow from Helm values and a chart version: what was written over what the
 * chart and the agent default to, and what the combination makes the agent do. Values that the chart
 * refuses still have settings here: what they would mean, were they let through.
 * Source: knowledge/cilium-and-flannel.md sections 2 to 7.
 */
import { atLeast } from '../../base/versions.ts';
import { TUNNEL_PORTS } from '../cilium-versions.ts';
import { chainingMode, masqueradesIpv4, writePath } from './config-map.ts';
import { mergedValues } from './defaults.ts';
import { isFullReplacement, kubeProxyReplacementText } from './kube-proxy-replacement.ts';
import { acceptedReplacements } from './template-failures.ts';
import { isTruthy, listValue, showValue, valueAt, type ChartValues } from './values.ts';

export interface EffectiveCilium {
  readonly version: string;
  /** The agent manages the CNI conf: the chart tells it a path. */
  readonly writesConf: boolean;
  /** Only in force when `writesConf`; the chart leaves the key out otherwise. */
  readonly exclusive: boolean;
  /** `cni.exclusive` as written or by default, in force or not. */
  readonly exclusiveValue: boolean;
  readonly customConf: boolean;
  /** On the node, e.g. `/etc/cni/net.d`. */
  readonly confPath: string;
  readonly binPath: string;
  /** Removes its conf when the agent stops. */
  readonly uninstallsConf: boolean;
  readonly chainingMode: string;
  readonly kubeProxyReplacement: {
    /** As the agent would read it: `true`, `false`, `strict`, … */
    readonly text: string;
    /** The chart of this version takes the text. */
    readonly accepted: boolean;
    /** All of kube-proxy is replaced. */
    readonly full: boolean;
  };
  /** The BPF NodePort service is on: by full replacement, or by its own value up to 1.18. */
  readonly nodePort: boolean;
  readonly hostPort: boolean;
  readonly masquerade: boolean;
  readonly bpfMasquerade: boolean;
  readonly hostLegacyRouting: boolean;
  /** BPF host routing on kernels from 5.10: packets leave out the host's stack. */
  readonly hostRoutingActive: boolean;
  readonly routingMode: 'tunnel' | 'native';
  readonly tunnelProtocol: 'vxlan' | 'geneve' | 'none';
  /** UDP port of the overlay; undefined without one. */
  readonly tunnelPort: number | undefined;
  readonly autoDirectNodeRoutes: boolean;
  readonly nativeRoutingCidr: string | undefined;
  readonly ipamMode: string;
  /** IPv4 pools of `cluster-pool`; empty in other modes. */
  readonly poolCidrs: readonly string[];
  readonly maskSize: number;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly k8sServiceHost: string | undefined;
  readonly k8sServicePort: string | undefined;
  readonly policyEnforcementMode: string;
  readonly unmanagedPodWatcher: boolean;
  /** Labels of the pods it restarts; kube-dns by default. */
  readonly unmanagedPodSelector: string;
  readonly setsNodeTaints: boolean;
  readonly taintKey: string;
  readonly capabilities: { readonly agent: unknown; readonly cleanState: unknown };
  readonly cgroup: { readonly autoMount: boolean; readonly hostRoot: string };
  /** 0: found by the agent. */
  readonly mtu: number;
  /** Empty: found by the agent. */
  readonly devices: readonly string[];
  readonly encryption: 'none' | 'ipsec' | 'wireguard';
  /** `config-map:…` only, so that CiliumNodeConfigs are not read. */
  readonly readsNodeConfigs: boolean;
  /** Settings the agent refuses to start with. */
  readonly refusals: readonly Refusal[];
}

interface Refusal {
  /** The value to point at. */
  readonly path: string;
  /** The agent's words. */
  readonly message: string;
}

export function effectiveCilium(version: string, userValues: ChartValues): EffectiveCilium {
  const values = mergedValues(version, userValues);
  const replacement = kubeProxyReplacementText(version, values);
  const full = isFullReplacement(version, replacement);
  const nodePort = full || hasOwnFlag(version, values, replacement, 'nodePort.enabled', '1.19.0');
  const bpfMasquerade = isTruthy(valueAt(values, 'bpf.masquerade'));
  const writesConf = writePath(values) !== undefined;
  const customConf = isTruthy(valueAt(values, 'cni.customConf'));
  const exclusiveValue = isTruthy(valueAt(values, 'cni.exclusive'));
  const settings = {
    version,
    writesConf,
    exclusive: writesConf && !customConf && exclusiveValue,
    exclusiveValue,
    customConf,
    confPath: text(values, 'cni.confPath'),
    binPath: text(values, 'cni.binPath'),
    uninstallsConf: isTruthy(valueAt(values, 'cni.uninstall')),
    chainingMode: chainingMode(values),
    kubeProxyReplacement: {
      text: replacement,
      accepted: acceptedReplacements(version).includes(replacement),
      full,
    },
    nodePort,
    hostPort: full || hasOwnFlag(version, values, replacement, 'hostPort.enabled', '1.18.0'),
    masquerade: masqueradesIpv4(version, values) === 'true',
    bpfMasquerade,
    hostLegacyRouting: isTruthy(valueAt(values, 'bpf.hostLegacyRouting')),
    ...routing(version, values),
    ...ipam(values),
    k8sServiceHost: text(values, 'k8sServiceHost') || undefined,
    k8sServicePort: text(values, 'k8sServicePort') || undefined,
    policyEnforcementMode: text(values, 'policyEnforcementMode').toLowerCase(),
    unmanagedPodWatcher: isTruthy(valueAt(values, 'operator.unmanagedPodWatcher.restart')),
    unmanagedPodSelector:
      text(values, 'operator.unmanagedPodWatcher.selector') || 'k8s-app=kube-dns',
    setsNodeTaints: setsTaints(version, values),
    taintKey: text(values, 'agentNotReadyTaintKey'),
    capabilities: {
      agent: valueAt(values, 'securityContext.capabilities.ciliumAgent'),
      cleanState: valueAt(values, 'securityContext.capabilities.cleanCiliumState'),
    },
    cgroup: {
      autoMount: isTruthy(valueAt(values, 'cgroup.autoMount.enabled')),
      hostRoot: text(values, 'cgroup.hostRoot'),
    },
    mtu: Number(valueAt(values, 'MTU') ?? 0),
    devices: listValue(valueAt(values, 'devices')),
    encryption: encryption(values),
    readsNodeConfigs: readsNodeConfigs(values),
  };
  return {
    ...settings,
    hostRoutingActive: hostRouting(version, settings),
    refusals: refusals(version, settings),
  };
}

function text(values: ChartValues, path: string): string {
  return showValue(valueAt(values, path));
}

/** Beside a partial or absent replacement the charts passed single services on, while they had them. */
function hasOwnFlag(
  version: string,
  values: ChartValues,
  replacement: string,
  path: string,
  gone: string,
): boolean {
  const passed = atLeast(version, '1.14.0') ? ['partial', 'false'] : ['partial'];
  return passed.includes(replacement) && !atLeast(version, gone) && isTruthy(valueAt(values, path));
}

function routing(
  version: string,
  values: ChartValues,
): Pick<
  EffectiveCilium,
  'routingMode' | 'tunnelProtocol' | 'tunnelPort' | 'autoDirectNodeRoutes' | 'nativeRoutingCidr'
> {
  const legacy = atLeast(version, '1.15.0') ? '' : text(values, 'tunnel');
  const mode = text(values, 'routingMode');
  const native = mode === 'native' || (mode === '' && legacy === 'disabled');
  const named = text(values, 'tunnelProtocol') || legacy;
  const protocol = native ? 'none' : named === 'geneve' ? 'geneve' : 'vxlan';
  const port = Number(valueAt(values, 'tunnelPort') ?? 0);
  return {
    routingMode: native ? 'native' : 'tunnel',
    tunnelProtocol: protocol,
    tunnelPort: protocol === 'none' ? undefined : port > 0 ? port : TUNNEL_PORTS[protocol],
    autoDirectNodeRoutes: isTruthy(valueAt(values, 'autoDirectNodeRoutes')),
    nativeRoutingCidr: text(values, 'ipv4NativeRoutingCIDR') || undefined,
  };
}

function ipam(
  values: ChartValues,
): Pick<EffectiveCilium, 'ipamMode' | 'poolCidrs' | 'maskSize' | 'ipv4' | 'ipv6'> {
  const mode = text(values, 'ipam.mode') || 'cluster-pool';
  return {
    ipamMode: mode,
    poolCidrs:
      mode === 'cluster-pool'
        ? listValue(valueAt(values, 'ipam.operator.clusterPoolIPv4PodCIDRList'))
        : [],
    maskSize: Number(valueAt(values, 'ipam.operator.clusterPoolIPv4MaskSize') ?? 24),
    ipv4: isTruthy(valueAt(values, 'ipv4.enabled')),
    ipv6: isTruthy(valueAt(values, 'ipv6.enabled')),
  };
}

function setsTaints(version: string, values: ChartValues): boolean {
  const set = valueAt(values, 'operator.setNodeTaints');
  if (!atLeast(version, '1.14.0')) return false;
  if (set !== undefined && set !== null) return isTruthy(set);
  return isTruthy(valueAt(values, 'operator.removeNodeTaints'));
}

function encryption(values: ChartValues): EffectiveCilium['encryption'] {
  if (!isTruthy(valueAt(values, 'encryption.enabled'))) return 'none';
  return text(values, 'encryption.type') === 'wireguard' ? 'wireguard' : 'ipsec';
}

/** Default sources: the ConfigMap, then the node's CiliumNodeConfigs (cilium-dbg/cmd/build-config.go). */
function readsNodeConfigs(values: ChartValues): boolean {
  const sources = text(values, 'daemon.configSources');
  return sources === '' || sources.includes('cilium-node-config');
}

type HostRoutingInput = Pick<
  EffectiveCilium,
  | 'kubeProxyReplacement'
  | 'hostLegacyRouting'
  | 'masquerade'
  | 'bpfMasquerade'
  | 'encryption'
  | 'chainingMode'
>;

/**
 * On by itself when nothing stands against it (C@v1.14.16 … main:kube_proxy_replacement.go): full
 * replacement, masquerading in BPF or not at all, no IPsec (until 1.19), no chaining.
 */
function hostRouting(version: string, settings: HostRoutingInput): boolean {
  const ipsec = settings.encryption === 'ipsec' && !atLeast(version, '1.19.0');
  return (
    settings.kubeProxyReplacement.full &&
    !settings.hostLegacyRouting &&
    (!settings.masquerade || settings.bpfMasquerade) &&
    !ipsec &&
    settings.chainingMode === 'none'
  );
}

function refusals(
  version: string,
  settings: Pick<
    EffectiveCilium,
    | 'kubeProxyReplacement'
    | 'masquerade'
    | 'bpfMasquerade'
    | 'nodePort'
    | 'autoDirectNodeRoutes'
    | 'routingMode'
  >,
): readonly Refusal[] {
  const { text: replacement, accepted } = settings.kubeProxyReplacement;
  const old = !atLeast(version, '1.18.0');
  return [
    ...(accepted
      ? []
      : [
          {
            path: 'kubeProxyReplacement',
            message: old
              ? `Invalid value for --kube-proxy-replacement: ${replacement}`
              : 'invalid value for kube-proxy-replacement',
          },
        ]),
    // Before 1.15 the agent fell back to iptables instead.
    ...(settings.masquerade &&
    settings.bpfMasquerade &&
    !settings.nodePort &&
    atLeast(version, '1.15.0')
      ? [
          {
            path: 'bpf.masquerade',
            message: 'BPF masquerade requires NodePort (--enable-node-port="true")',
          },
        ]
      : []),
    ...(settings.autoDirectNodeRoutes && settings.routingMode === 'tunnel'
      ? [
          {
            path: 'autoDirectNodeRoutes',
            message:
              'auto-direct-node-routes cannot be used with tunneling. Packets must be routed through the tunnel device.',
          },
        ]
      : []),
  ];
}
