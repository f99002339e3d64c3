/**
 * Values that came and went, one by one: `rowEffect` says that a chart honours, ignores or refuses a
 * value, and a rendering with it beside one without it shows which.
 */
import {
  CHART_VALUES,
  type ChartValueRow,
  rowEffect,
} from '../../../src/knowledge/cilium-chart/chart-values.ts';
import type { Lane } from '../lane.ts';
import { valuesOf } from './cases.ts';
import type { Helm, RealChart, RenderedDocument, Rendering } from './helm.ts';

interface Probe {
  readonly value: unknown;
  /** What must be set for the value to matter at all. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

const RELAY = { 'hubble.relay.enabled': true };
const IPSEC = { 'encryption.enabled': true, 'encryption.type': 'ipsec' };
const WIREGUARD = { 'encryption.enabled': true, 'encryption.type': 'wireguard' };
const L2 = { 'l2podAnnouncements.enabled': true };
const BGP = { 'bgp.enabled': true, 'bgp.announce.loadbalancerIP': true };
const PAIR = { cert: 'Y2VydA==', key: 'a2V5' };
/** With certificates that are given, for Helm makes none of its own beside them. */
const MESH = {
  'clustermesh.useAPIServer': true,
  'clustermesh.apiserver.tls.auto.enabled': false,
  'hubble.tls.enabled': false,
  'clustermesh.apiserver.tls.server': PAIR,
  'clustermesh.apiserver.tls.admin': PAIR,
  'clustermesh.apiserver.tls.client': PAIR,
  'clustermesh.apiserver.tls.remote': PAIR,
};
const NO_REPLACEMENT = { kubeProxyReplacement: 'false' };

/** A value other than the default for each row; a row without one fails. */
const PROBES: Readonly<Record<string, Probe>> = {
  tunnel: { value: 'geneve' },
  'ipam.operator.clusterPoolIPv4PodCIDR': { value: '10.245.0.0/16' },
  'ipam.operator.clusterPoolIPv6PodCIDR': {
    value: 'fd00:1::/104',
    beside: { 'ipv6.enabled': true },
  },
  'containerRuntime.integration': { value: 'crio' },
  'encryption.keyFile': { value: 'other', beside: IPSEC },
  'encryption.mountPath': { value: '/etc/other', beside: IPSEC },
  'encryption.secretName': { value: 'other', beside: IPSEC },
  'encryption.interface': { value: 'eth7', beside: IPSEC },
  'encryption.ipsec.interface': { value: 'eth7', beside: IPSEC },
  'encryption.strictMode.enabled': {
    value: true,
    beside: { ...WIREGUARD, 'encryption.strictMode.cidr': '10.0.0.0/8' },
  },
  'encryption.strictMode.cidr': {
    value: '10.7.0.0/16',
    beside: { ...WIREGUARD, 'encryption.strictMode.enabled': true },
  },
  'encryption.strictMode.allowRemoteNodeIdentities': {
    value: true,
    beside: {
      ...WIREGUARD,
      'encryption.strictMode.enabled': true,
      'encryption.strictMode.cidr': '10.0.0.0/8',
    },
  },
  'proxy.prometheus.enabled': { value: false },
  'proxy.prometheus.port': { value: '9977', beside: { 'prometheus.enabled': true } },
  endpointStatus: { value: { enabled: true, status: 'policy' } },
  remoteNodeIdentity: { value: 'false' },
  enableK8sEventHandover: { value: true },
  enableCnpStatusUpdates: { value: true },
  'clustermesh.apiserver.tls.ca.cert': { value: 'b3RoZXI=', beside: MESH },
  'clustermesh.apiserver.tls.ca.key': { value: 'b3RoZXI=', beside: MESH },
  'etcd.managed': { value: true, beside: { 'etcd.enabled': true } },
  enableCiliumEndpointSlice: { value: true },
  'ciliumEndpointSlice.sliceMode': {
    value: 'fcfs',
    beside: { 'ciliumEndpointSlice.enabled': true },
  },
  enableRuntimeDeviceDetection: { value: true },
  externalWorkloads: { value: { enabled: true }, beside: { 'clustermesh.useAPIServer': true } },
  highScaleIPcache: { value: { enabled: true } },
  enableK8sTerminatingEndpoint: { value: false },
  'hubble.relay.dialTimeout': { value: '7s', beside: RELAY },
  'hubble.peerService.enabled': { value: false },
  'hubble.tls.ca': { value: { cert: 'Y2VydA==', key: 'a2V5' } },
  'hostPort.enabled': { value: true, beside: NO_REPLACEMENT },
  'externalIPs.enabled': { value: true, beside: NO_REPLACEMENT },
  'nodePort.enabled': { value: true, beside: NO_REPLACEMENT },
  svcSourceRangeCheck: { value: false },
  sessionAffinity: { value: true, beside: NO_REPLACEMENT },
  'l2NeighDiscovery.refreshPeriod': { value: '77s', beside: { 'l2NeighDiscovery.enabled': true } },
  'l2podAnnouncements.interface': { value: 'eth7', beside: L2 },
  'customCalls.enabled': { value: true },
  'bgp.enabled': { value: true, beside: { 'bgp.announce.loadbalancerIP': true } },
  'bgp.announce': { value: { loadbalancerIP: true, podCIDR: true }, beside: BGP },
  'encryption.wireguard.userspaceFallback': { value: true, beside: WIREGUARD },
  'sockops.enabled': { value: true },
  'clustermesh.enableMCSAPISupport': { value: true },
};

export async function proveGoneValues(
  lane: Lane,
  helm: Helm,
  charts: readonly RealChart[],
  rows: readonly ChartValueRow[] = CHART_VALUES,
): Promise<void> {
  for (const chart of charts) {
    const plain = new Map<string, Promise<Rendering>>();
    await Promise.all(
      rows
        .filter(({ path }) => lane.wants(path))
        .map((row) =>
          lane.check(
            `chart ${chart.version}: ${row.path} is ${rowEffect(row, chart.version)}`,
            () => proveRow(helm, chart, row, plain),
          ),
        ),
    );
  }
}

async function proveRow(
  helm: Helm,
  chart: RealChart,
  row: ChartValueRow,
  plain: Map<string, Promise<Rendering>>,
): Promise<void> {
  const probe = PROBES[row.path];
  if (probe === undefined) throw new Error('no value to try it with: add one to PROBES');
  const { beside = {} } = probe;
  const key = JSON.stringify(beside);
  const without = plain.get(key) ?? helm.template(chart, valuesOf(beside));
  plain.set(key, without);
  const found = effectOf(
    await helm.template(chart, valuesOf({ ...beside, [row.path]: probe.value })),
    await without,
  );
  const expected = rowEffect(row, chart.version);
  const known = row.since === undefined || Number(row.since.split('.')[1]) <= minor(chart);
  if (!known && found.effect === 'ignored') return;
  if (found.effect !== expected) {
    throw new Error(`Helm shows that it is ${found.effect}: ${found.message}`);
  }
  if (
    expected === 'template-fail' &&
    !oneLine(found.message).includes(oneLine(row.message ?? ''))
  ) {
    throw new Error(`Helm says: ${found.message}\nthe table: ${row.message ?? ''}`);
  }
}

function effectOf(
  given: Rendering,
  without: Rendering,
): { readonly effect: ReturnType<typeof rowEffect>; readonly message: string } {
  if (!given.ok) {
    const schema = given.message.includes('meet the specifications of the schema');
    return { effect: schema ? 'schema' : 'template-fail', message: given.message };
  }
  if (!without.ok) return { effect: 'honoured', message: `without it: ${without.message}` };
  const changed = changedTemplates(without.documents, given.documents);
  return changed.length === 0
    ? { effect: 'ignored', message: 'nothing changes' }
    : { effect: 'honoured', message: `it changes ${changed.join(', ')}` };
}

function changedTemplates(
  before: readonly RenderedDocument[],
  after: readonly RenderedDocument[],
): readonly string[] {
  const old = textsByTemplate(before);
  const now = textsByTemplate(after);
  return [...new Set([...old.keys(), ...now.keys()])].filter(
    (template) => old.get(template) !== now.get(template),
  );
}

/** Certificates are made anew by every rendering unless they are given: what holds them is left out. */
function textsByTemplate(documents: readonly RenderedDocument[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { template, text } of documents) {
    const provided = template.includes('tls-provided');
    if (!provided && (/^kind: Secret$/m.test(text) || template.includes('ca-bundle'))) continue;
    texts.set(template, `${texts.get(template) ?? ''}${text}\n`);
  }
  return texts;
}

function minor({ version }: RealChart): number {
  return Number(version.split('.')[1]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
