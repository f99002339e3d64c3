/**
 * Values that came and went in the Cilium chart, as data; read by one hazard and by the model of
 * the chart. Source unless a row says otherwise: C:Documentation/operations/upgrade.rst at v1.14.16
 * … main, and a comparison of values.yaml and templates of charts 1.13.18 … 1.20.0
 * (knowledge/cilium-and-flannel.md section 8).
 */
import { atLeast } from '../../base/versions.ts';

export interface ChartValueRow {
  /** Dotted path in the values. */
  readonly path: string;
  /** First chart that knows it, when that is 1.14 or later. */
  readonly since?: string;
  /** First chart in which it has no effect any more. */
  readonly gone: string;
  /** What becomes of it from then on. */
  readonly fails: 'template-fail' | 'silent' | 'schema';
  /** First chart that says so, where it was ignored in silence before; else `gone`. */
  readonly failsSince?: readonly string[];
  /** First chart that ignores in silence again what earlier ones refused. */
  readonly failsUntil?: string;
  /** The chart's words; only with `template-fail`. */
  readonly message?: string;
  /** Only values that a template takes for true fail; else the key alone does. */
  readonly whenTruthy?: boolean;
  /** What to write instead; null when nothing is needed. */
  readonly replacement: string | null;
  readonly note?: string;
  readonly source: string;
}

const UPGRADE = 'cilium:Documentation/operations/upgrade.rst';
const VALIDATE = 'charts:cilium/templates/validate.yaml';
const VALUES = 'charts:cilium/values.yaml';

/** The wording shared by validate.yaml since 1.15. */
function removed(what: string, deprecated: string, gone: string): string {
  return (
    `${what} deprecated in v${deprecated} and has been removed in v${gone}. For details please ` +
    `refer to https://docs.cilium.io/en/v${gone}/operations/upgrade/#helm-options`
  );
}

function goneWithout(what: string, gone: string): string {
  return (
    `${what} has been removed in v${gone}. For details please refer to ` +
    `https://docs.cilium.io/en/v${gone}/operations/upgrade/#helm-options`
  );
}

function failing(
  path: string,
  gone: string,
  message: string,
  replacement: string | null,
  more: Partial<ChartValueRow> = {},
): ChartValueRow {
  return {
    path,
    gone,
    fails: 'template-fail',
    ...(gone === '1.16' ? { failsSince: ['1.16.2'] } : {}),
    message,
    whenTruthy: true,
    replacement,
    source: `${VALIDATE}@${gone}`,
    ...more,
  };
}

function silent(
  path: string,
  gone: string,
  replacement: string | null,
  more: Partial<ChartValueRow> = {},
): ChartValueRow {
  return { path, gone, fails: 'silent', replacement, source: `${VALUES}@${gone}`, ...more };
}

const ENCRYPTION = removed(
  'encryption.{keyFile,mountPath,secretName,interface} were',
  '1.14',
  '1.16',
);
const PROXY = removed('proxy.prometheus.enabled and proxy.prometheus.port were', '1.14', '1.16');
const CLUSTERMESH_CA = removed(
  'clustermesh.apiserver.tls.ca.cert and clustermesh.apiserver.tls.ca.key were',
  '1.14',
  '1.15',
);

const KPR_IMPLIES = 'implied by kubeProxyReplacement: true';

export const CHART_VALUES: readonly ChartValueRow[] = [
  failing(
    'tunnel',
    '1.15',
    removed('tunnel was', '1.14', '1.15'),
    'routingMode and tunnelProtocol',
    {
      failsSince: ['1.15.8', '1.16.2'],
      note: 'Charts 1.15.0 to 1.15.7, 1.16.0 and 1.16.1 ignore it and use VXLAN.',
      source: 'cilium/cilium#34213, #34229',
    },
  ),
  failing(
    'ipam.operator.clusterPoolIPv4PodCIDR',
    '1.14',
    'Value ipam.operator.clusterPoolIPv4PodCIDR removed, use ipam.operator.clusterPoolIPv4PodCIDRList instead',
    'ipam.operator.clusterPoolIPv4PodCIDRList',
    {
      whenTruthy: false,
      failsUntil: '1.19',
      source: 'charts:cilium/templates/cilium-configmap.yaml@1.16.5',
    },
  ),
  failing(
    'ipam.operator.clusterPoolIPv6PodCIDR',
    '1.14',
    'Value ipam.operator.clusterPoolIPv6PodCIDR removed, use ipam.operator.clusterPoolIPv6PodCIDRList instead',
    'ipam.operator.clusterPoolIPv6PodCIDRList',
    {
      whenTruthy: false,
      failsUntil: '1.19',
      source: 'charts:cilium/templates/cilium-configmap.yaml@1.16.5',
    },
  ),
  failing(
    'containerRuntime.integration',
    '1.16',
    removed('containerRuntime.integration was', '1.14', '1.16'),
    'bpf.autoMount.enabled',
  ),
  failing('encryption.keyFile', '1.16', ENCRYPTION, 'encryption.ipsec.keyFile'),
  failing('encryption.mountPath', '1.16', ENCRYPTION, 'encryption.ipsec.mountPath'),
  failing('encryption.secretName', '1.16', ENCRYPTION, 'encryption.ipsec.secretName'),
  failing('encryption.interface', '1.16', ENCRYPTION, 'encryption.ipsec.interface', {
    note: 'encryption.ipsec.interface itself is gone from 1.20.',
  }),
  silent('encryption.ipsec.interface', '1.20', null),
  silent('encryption.strictMode.enabled', '1.20', 'encryption.strictMode.egress.enabled', {
    since: '1.15',
    note: 'The replacement exists since 1.19.',
  }),
  silent('encryption.strictMode.cidr', '1.20', 'encryption.strictMode.egress.cidr', {
    since: '1.15',
  }),
  silent(
    'encryption.strictMode.allowRemoteNodeIdentities',
    '1.20',
    'encryption.strictMode.egress.allowRemoteNodeIdentities',
    { since: '1.15' },
  ),
  failing('proxy.prometheus.enabled', '1.16', PROXY, 'envoy.prometheus.enabled', {
    whenTruthy: false,
  }),
  failing('proxy.prometheus.port', '1.16', PROXY, 'envoy.prometheus.port'),
  failing('endpointStatus', '1.16', goneWithout('endpointStatus', '1.16'), null),
  failing('remoteNodeIdentity', '1.16', removed('remoteNodeIdentity was', '1.15', '1.16'), null),
  failing(
    'enableK8sEventHandover',
    '1.15',
    removed('enableK8sEventHandover was', '1.14', '1.15'),
    null,
    {
      failsSince: ['1.15.8', '1.16.2'],
    },
  ),
  failing(
    'enableCnpStatusUpdates',
    '1.15',
    removed('enableCnpStatusUpdates was', '1.14', '1.15'),
    null,
    {
      failsSince: ['1.15.8', '1.16.2'],
    },
  ),
  failing('clustermesh.apiserver.tls.ca.cert', '1.15', CLUSTERMESH_CA, 'tls.ca.cert', {
    failsSince: ['1.15.8', '1.16.2'],
  }),
  failing('clustermesh.apiserver.tls.ca.key', '1.15', CLUSTERMESH_CA, 'tls.ca.key', {
    failsSince: ['1.15.8', '1.16.2'],
  }),
  failing(
    'etcd.managed',
    '1.16',
    'etcd.managed was deprecated in v1.10 has been removed in v1.16. For details please refer to https://docs.cilium.io/en/v1.16/operations/upgrade/#helm-options',
    'an external etcd (etcd.endpoints)',
  ),
  failing(
    'enableCiliumEndpointSlice',
    '1.18',
    removed('enableCiliumEndpointSlice was', '1.16', '1.18'),
    'ciliumEndpointSlice.enabled',
  ),
  failing(
    'ciliumEndpointSlice.sliceMode',
    '1.18',
    goneWithout('ciliumEndpointSlice.sliceMode', '1.18'),
    null,
    { since: '1.17' },
  ),
  silent('enableRuntimeDeviceDetection', '1.16', null, {
    since: '1.15',
    note: 'Always on since 1.16; the value left the chart in 1.18.',
  }),
  silent('externalWorkloads', '1.18', null),
  silent('highScaleIPcache', '1.18', null),
  silent('enableK8sTerminatingEndpoint', '1.18', null, { note: 'Always on.' }),
  silent('hubble.relay.dialTimeout', '1.17', null),
  silent('hubble.peerService.enabled', '1.14', null, { note: 'Always on.' }),
  silent('hubble.tls.ca', '1.14', 'tls.ca'),
  silent('hostPort.enabled', '1.18', null, { note: KPR_IMPLIES }),
  silent('externalIPs.enabled', '1.17', null, { note: KPR_IMPLIES }),
  silent('nodePort.enabled', '1.19', null, { note: KPR_IMPLIES }),
  silent('svcSourceRangeCheck', '1.19', null, { note: KPR_IMPLIES }),
  silent('sessionAffinity', '1.19', null, { note: KPR_IMPLIES }),
  silent('l2NeighDiscovery.refreshPeriod', '1.18', null, {
    note: 'The kernel refreshes; l2NeighDiscovery.enabled defaults to false from 1.18.',
  }),
  silent('l2podAnnouncements.interface', '1.19', 'l2podAnnouncements.interfacePattern', {
    since: '1.14',
  }),
  silent('customCalls.enabled', '1.19', null),
  silent('bgp.enabled', '1.17', 'bgpControlPlane.enabled', {
    note: 'The CiliumBGPPeeringPolicy CRD is gone from 1.19.',
  }),
  silent('bgp.announce', '1.17', 'bgpControlPlane'),
  silent('encryption.wireguard.userspaceFallback', '1.17', null, {
    note: 'WireGuard in the kernel is required.',
  }),
  silent('sockops.enabled', '1.14', null),
  silent('clustermesh.enableMCSAPISupport', '1.20', 'clustermesh.mcsapi.enabled', {
    since: '1.17',
    source: `${UPGRADE}@main`,
  }),
];

/** A value that is still honoured and will not be for long. */
export interface DeprecatedValueRow {
  readonly path: string;
  readonly deprecated: string;
  readonly replacement: string;
  readonly source: string;
}

export const DEPRECATED_VALUES: readonly DeprecatedValueRow[] = [
  {
    path: 'hubble.export.fileMaxSizeMb',
    deprecated: '1.18',
    replacement: 'hubble.export.static.fileMaxSizeMb',
    source: 'charts:cilium/templates/cilium-configmap.yaml@1.18.11',
  },
  {
    path: 'hubble.export.fileMaxBackups',
    deprecated: '1.18',
    replacement: 'hubble.export.static.fileMaxBackups',
    source: 'charts:cilium/templates/cilium-configmap.yaml@1.18.11',
  },
  {
    path: 'localRedirectPolicy',
    deprecated: '1.18',
    replacement: 'localRedirectPolicies.enabled',
    source: `${UPGRADE}@v1.18.3`,
  },
  {
    path: 'hubble.preferIpv6',
    deprecated: '1.20',
    replacement: 'preferIpv6',
    source: `${UPGRADE}@main`,
  },
  {
    path: 'dnsProxy.preCache',
    deprecated: '1.20',
    replacement: 'nothing: it is removed in 1.21',
    source: `${UPGRADE}@main`,
  },
];

/** Values of `ipam.mode` that are gone. Source: cilium-and-flannel.md section 8. */
export const GONE_IPAM_MODES: readonly {
  readonly mode: string;
  readonly gone: string;
  readonly replacement: string;
}[] = [{ mode: 'cluster-pool-v2beta', gone: '1.15', replacement: 'multi-pool (since 1.14)' }];

/** What the row means at a chart version: still fine, ignored without a word, or refused. */
export function rowEffect(
  row: ChartValueRow,
  version: string,
): 'honoured' | 'ignored' | 'template-fail' | 'schema' {
  if (!atLeast(version, row.gone)) return 'honoured';
  if (row.fails === 'silent') return 'ignored';
  if (row.failsUntil !== undefined && atLeast(version, row.failsUntil)) return 'ignored';
  if (row.failsSince === undefined) return row.fails;
  const speaks = row.failsSince.some((since) => sameMinorAtLeast(version, since));
  const last = row.failsSince.at(-1) ?? row.gone;
  return speaks || atLeast(version, last) ? row.fails : 'ignored';
}

function sameMinorAtLeast(version: string, floor: string): boolean {
  const minor = floor.split('.').slice(0, 2).join('.');
  return version.replace(/^v/, '').startsWith(`${minor}.`) && atLeast(version, floor);
}
