/**
 * Makes the values that were given valid for the chart version and the platform, keeping what was
 * meant: removed spellings get their present form, capability strings become lists, what the
 * platform forbids goes. Every change is a decision a person can read.
 */
import { CHART_VALUES, rowEffect } from '../../knowledge/cilium-chart/chart-values.ts';
import { defaultOf } from '../../knowledge/cilium-chart/defaults.ts';
import {
  type ChartValues,
  hasPath,
  listValue,
  valueAt,
} from '../../knowledge/cilium-chart/values.ts';
import { KUBE_PRISM_PORT } from '../../knowledge/talos-config/settings.ts';
import { atLeast } from '../../base/versions.ts';
import type { Situation } from '../situation.ts';
import { dropValue, type Fixing, setValue, stringAt } from './edit.ts';
import { fixRouting } from './fix-routing.ts';

export function fixValues(
  given: ChartValues,
  version: string,
  situation: Situation,
  say: Fixing['say'],
): ChartValues {
  const fixing: Fixing = { values: given, version, say };
  fixKubeProxyReplacement(fixing);
  fixTunnel(fixing);
  fixRouting(fixing);
  fixPoolSpelling(fixing);
  dropGoneValues(fixing);
  dropImpliedNodePort(fixing);
  fixCapabilities(fixing, situation);
  if (situation.distribution === 'talos') fixForTalos(fixing);
  fixApiServer(fixing, situation);
  fixOperatorReplicas(fixing, situation);
  return fixing.values;
}

/** 1.14 deprecated the words, 1.16 removed them (cilium 6a83269beec1). */
function fixKubeProxyReplacement(fixing: Fixing): void {
  const written = stringAt(fixing.values, 'kubeProxyReplacement');
  const meant = { strict: true, probe: true, partial: false, disabled: false }[written ?? ''];
  if (meant === undefined || !atLeast(fixing.version, '1.14.0')) return;
  setValue(fixing, 'kubeProxyReplacement', meant);
  fixing.say(
    'kubeProxyReplacement',
    `${String(meant)} instead of ${written ?? ''}`,
    `chart ${fixing.version} takes true or false only${atLeast(fixing.version, '1.16.0') ? ' and does not render otherwise' : ''}`,
  );
}

function fixTunnel(fixing: Fixing): void {
  const tunnel = stringAt(fixing.values, 'tunnel');
  if (tunnel === undefined || !atLeast(fixing.version, '1.14.0')) return;
  dropValue(fixing, 'tunnel');
  if (tunnel === 'disabled') setValue(fixing, 'routingMode', 'native');
  else {
    setValue(fixing, 'routingMode', 'tunnel');
    setValue(fixing, 'tunnelProtocol', tunnel);
  }
  fixing.say(
    'tunnel',
    'routingMode and tunnelProtocol instead',
    'tunnel was removed in 1.15, in some charts without a word',
  );
}

function fixPoolSpelling(fixing: Fixing): void {
  const path = 'ipam.operator.clusterPoolIPv4PodCIDR';
  const one = stringAt(fixing.values, path);
  if (one === undefined || !atLeast(fixing.version, '1.14.0')) return;
  dropValue(fixing, path);
  if (!hasPath(fixing.values, `${path}List`)) setValue(fixing, `${path}List`, [one]);
  fixing.say(
    path,
    'clusterPoolIPv4PodCIDRList instead',
    'the single form fails to render from chart 1.14 on',
  );
}

function dropGoneValues(fixing: Fixing): void {
  for (const row of CHART_VALUES) {
    if (!hasPath(fixing.values, row.path) || rowEffect(row, fixing.version) === 'honoured')
      continue;
    dropValue(fixing, row.path);
    const instead =
      row.replacement === null
        ? 'nothing is needed instead'
        : `write ${row.replacement} if it is wanted`;
    fixing.say(
      row.path,
      'left out',
      `chart ${fixing.version} does not know it any more; ${row.note ?? instead}`,
    );
  }
}

/** Full replacement turns NodePort on by itself. */
function dropImpliedNodePort(fixing: Fixing): void {
  if (
    stringAt(fixing.values, 'kubeProxyReplacement') !== 'true' ||
    !hasPath(fixing.values, 'nodePort.enabled')
  )
    return;
  dropValue(fixing, 'nodePort.enabled');
  fixing.say(
    'nodePort.enabled',
    'left out',
    'kubeProxyReplacement: true implies it, and the value is gone from chart 1.19',
  );
}

const CAPABILITY_SETS = [
  'ciliumAgent',
  'cleanCiliumState',
  'mountCgroup',
  'applySysctlOverwrites',
] as const;

function fixCapabilities(fixing: Fixing, situation: Situation): void {
  for (const set of CAPABILITY_SETS) {
    const path = `securityContext.capabilities.${set}`;
    const written = valueAt(fixing.values, path);
    if (typeof written !== 'string') continue;
    const list = listValue(written.replaceAll(/[{}]/g, ''));
    setValue(fixing, path, list);
    fixing.say(
      path,
      `a list of ${list.length}`,
      '"{A,B}" is list syntax on the command line only; in a file it is one string, which the chart refuses',
    );
  }
  if (situation.distribution !== 'talos') return;
  for (const set of ['ciliumAgent', 'cleanCiliumState'] as const)
    dropSysModule(fixing, `securityContext.capabilities.${set}`);
}

/** Talos drops cap_sys_module for every workload; a container that asks for it does not start. */
function dropSysModule(fixing: Fixing, path: string): void {
  const written = valueAt(fixing.values, path) ?? defaultOf(fixing.version, path);
  const list = listValue(written);
  if (!list.includes('SYS_MODULE')) return;
  setValue(
    fixing,
    path,
    list.filter((capability) => capability !== 'SYS_MODULE'),
  );
  fixing.say(
    path,
    'without SYS_MODULE',
    'Talos forbids it to every workload (machinery constants.go, DefaultDroppedCapabilities)',
  );
}

function fixForTalos(fixing: Fixing): void {
  if (
    valueAt(fixing.values, 'cgroup.autoMount.enabled') === false &&
    stringAt(fixing.values, 'cgroup.hostRoot') === '/sys/fs/cgroup'
  )
    return;
  setValue(fixing, 'cgroup.autoMount.enabled', false);
  setValue(fixing, 'cgroup.hostRoot', '/sys/fs/cgroup');
  fixing.say(
    'cgroup',
    'autoMount off, hostRoot /sys/fs/cgroup',
    'Talos mounts cgroup2 itself (Talos guide, deploying Cilium)',
  );
}

/** The agent must reach the API without a Service address before kube-proxy may go (FM-06). */
function fixApiServer(fixing: Fixing, situation: Situation): void {
  const { kubePrism } = situation;
  const host = stringAt(fixing.values, 'k8sServiceHost') ?? '';
  const port = stringAt(fixing.values, 'k8sServicePort') ?? '';
  if (kubePrism === undefined) {
    useApiEndpoint(fixing, situation, { host, port });
    return;
  }
  const local = LOOPBACK.has(host);
  if (host !== '' && (!local || port === String(kubePrism.port))) return;
  setValue(fixing, 'k8sServiceHost', kubePrism.host);
  setValue(fixing, 'k8sServicePort', kubePrism.port);
  fixing.say(
    'k8sServiceHost',
    `${kubePrism.host}:${kubePrism.port}`,
    host === ''
      ? 'KubePrism serves the API on every node; without it the agent needs kube-proxy to start'
      : `KubePrism listens on ${kubePrism.port}, not on ${port}`,
  );
}

/** Without KubePrism: the address kube-proxy or the nodes use, where it is needed and was read. */
function useApiEndpoint(
  fixing: Fixing,
  { facts, kubeProxyPresent }: Situation,
  given: { readonly host: string; readonly port: string },
): void {
  const { host, port } = given;
  const ofKubePrism = LOOPBACK.has(host) && port === String(KUBE_PRISM_PORT);
  if (host !== '' && !ofKubePrism) return;
  const needed = stringAt(fixing.values, 'kubeProxyReplacement') === 'true' || !kubeProxyPresent;
  const endpoint = facts.cluster.apiEndpoint;
  const gone = ofKubePrism
    ? `nothing serves ${host}:${port} here: that is KubePrism, of Talos`
    : undefined;
  if (gone !== undefined) {
    dropValue(fixing, 'k8sServiceHost');
    dropValue(fixing, 'k8sServicePort');
  }
  if (!needed || !endpoint.known) {
    if (gone !== undefined) fixing.say('k8sServiceHost', 'left out', gone);
    return;
  }
  setValue(fixing, 'k8sServiceHost', endpoint.value.host);
  setValue(fixing, 'k8sServicePort', endpoint.value.port);
  fixing.say(
    'k8sServiceHost',
    `${endpoint.value.host}:${endpoint.value.port}`,
    `${gone ?? 'the agent needs the API without a Service address'}; this one was read of the cluster, and every node must reach it`,
  );
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

/** Two operators never share a node. */
function fixOperatorReplicas(fixing: Fixing, { nodes }: Situation): void {
  if (nodes.length > 1 || hasPath(fixing.values, 'operator.replicas')) return;
  setValue(fixing, 'operator.replicas', 1);
  fixing.say(
    'operator.replicas',
    '1',
    'the cluster has one node, and two operators never share one',
  );
}
