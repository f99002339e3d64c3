/**
 * The values of each phase, from the fixed target: beside the old CNI (manages no pod), in charge,
 * and with kube-proxy replaced. Source of the first: cilium k8s-install-migration.rst@main.
 */
import {
  type ChartValues,
  isTruthy,
  valueAt,
  withValue,
} from '../../knowledge/cilium-chart/values.ts';
import { atLeast } from '../../base/versions.ts';
import type { CniDirectories } from '../../knowledge/distributions.ts';
import type { RuntimeDirectories } from '../../model/plan.ts';
import { stringAt, withoutPath } from './edit.ts';

export interface PhaseChoices {
  readonly version: string;
  readonly pool: readonly string[];
  readonly maskSize: number;
  /** Undefined: Cilium's default port. */
  readonly tunnelPort: number | undefined;
  readonly exclusive: boolean;
  readonly kubeProxyReplacement: boolean;
  /** No kube-proxy runs, so replacement is on from the start. */
  readonly replaceFromStart: boolean;
  readonly hostLegacyRouting: boolean;
  readonly policies: 'audit' | 'as-values' | 'never';
  /** Where the runtime looks while the old CNI is there, and whether it looks elsewhere afterwards. */
  readonly directories: CniDirectories;
  readonly directoriesAfter: RuntimeDirectories | undefined;
  /** Agents that restart at a time in a roll-out; undefined: as the chart has it. */
  readonly agentsAtATime: number | undefined;
}

export interface PhaseValues {
  readonly secondary: ChartValues;
  readonly inCharge: ChartValues;
  /** Undefined when kube-proxy stays. */
  readonly replacing: ChartValues | undefined;
  /** With the directories of a runtime that looks elsewhere once the old CNI is off; undefined where it does not. */
  readonly settled: ChartValues | undefined;
  /** Before and after policies are enforced; undefined where they are not audited first. */
  readonly audited: ChartValues | undefined;
  readonly enforcing: ChartValues | undefined;
}

export function phaseValues(target: ChartValues, choices: PhaseChoices): PhaseValues {
  const common = withPaths(target, [
    ['ipam.mode', 'cluster-pool'],
    ['ipam.operator.clusterPoolIPv4PodCIDRList', choices.pool],
    ['ipam.operator.clusterPoolIPv4MaskSize', choices.maskSize],
    ...tunnel(target, choices),
    ['cni.uninstall', false],
    ...directories(target, choices.directories),
    ...rolling(choices),
  ]);
  const early = choices.replaceFromStart ? common : withoutReplacement(common);
  const secondary = withPaths(early, [
    ['cni.customConf', true],
    ['cni.exclusive', choices.exclusive],
    ['operator.unmanagedPodWatcher.restart', false],
    ...(atLeast(choices.version, '1.14.0') ? ([['operator.setNodeTaints', false]] as const) : []),
    ['policyEnforcementMode', 'never'],
    ['bpf.hostLegacyRouting', true],
  ]);
  const inCharge = withPaths(
    withoutPath(withoutPath(early, 'cni.customConf'), 'operator.setNodeTaints'),
    [
      ['cni.customConf', false],
      ['cni.exclusive', choices.exclusive],
      ['operator.unmanagedPodWatcher.restart', true],
      ...userTaints(target),
      ...policies(target, choices),
      // Full replacement comes later; until then packets of Services go through the host's stack.
      ['bpf.hostLegacyRouting', choices.hostLegacyRouting],
    ],
  );
  const replaced = replacing(target, inCharge, choices);
  const { directoriesAfter: after } = choices;
  const settled =
    after === undefined
      ? undefined
      : withPaths(replaced ?? inCharge, [
          ['cni.confPath', after.conf],
          ['cni.binPath', after.bin],
        ]);
  // Who wants them audited in the end has no enforcement to wait for.
  const isLeftSo = choices.policies !== 'audit' || valueAt(target, 'policyAuditMode') === true;
  const audited = isLeftSo ? undefined : (settled ?? replaced ?? inCharge);
  const enforcing = audited === undefined ? undefined : withoutAudit(audited, target);
  return { secondary, inCharge, replacing: replaced, settled, audited, enforcing };
}

type Setting = readonly [path: string, value: unknown];

function withPaths(values: ChartValues, settings: readonly Setting[]): ChartValues {
  return settings.reduce((result, [path, value]) => withValue(result, path, value), values);
}

/** The protocol is for good, like the port: nodes with different ones do not reach each other. */
function tunnel(target: ChartValues, { version, tunnelPort }: PhaseChoices): readonly Setting[] {
  const port: readonly Setting[] = tunnelPort === undefined ? [] : [['tunnelPort', tunnelPort]];
  const protocol = stringAt(target, 'tunnelProtocol') === 'geneve' ? 'geneve' : 'vxlan';
  if (!atLeast(version, '1.14.0')) return [['tunnel', protocol], ...port];
  return [['routingMode', 'tunnel'], ['tunnelProtocol', protocol], ...port];
}

/** Only what differs from what the chart, or the target, says anyway. */
function directories(target: ChartValues, { confDir, binDir }: CniDirectories): readonly Setting[] {
  const said = (path: string, wanted: string, byDefault: string): readonly Setting[] =>
    (stringAt(target, path) ?? byDefault) === wanted ? [] : [[path, wanted]];
  return [
    ...said('cni.confPath', confDir, '/etc/cni/net.d'),
    ...said('cni.binPath', binDir, '/opt/cni/bin'),
  ];
}

function rolling({ agentsAtATime }: PhaseChoices): readonly Setting[] {
  if (agentsAtATime === undefined) return [];
  return [
    ['updateStrategy', { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: agentsAtATime } }],
  ];
}

/** BPF masquerading needs NodePort, that is replacement: an agent refuses to start without (≥ 1.15). */
function withoutReplacement(values: ChartValues): ChartValues {
  return withPaths(withoutPath(values, 'nodePort.enabled'), [
    ['kubeProxyReplacement', false],
    ...(isTruthy(valueAt(values, 'bpf.masquerade')) ? ([['bpf.masquerade', false]] as const) : []),
  ]);
}

function userTaints(target: ChartValues): readonly Setting[] {
  const wanted = valueAt(target, 'operator.setNodeTaints');
  return wanted === undefined ? [] : [['operator.setNodeTaints', wanted]];
}

function policies(target: ChartValues, choices: PhaseChoices): readonly Setting[] {
  if (choices.policies === 'never') return [['policyEnforcementMode', 'never']];
  const mode: Setting = [
    'policyEnforcementMode',
    stringAt(target, 'policyEnforcementMode') ?? 'default',
  ];
  if (choices.policies !== 'audit') return [mode];
  const isDeaf = valueAt(target, 'hubble.enabled') === false;
  // What is audited is told by Hubble alone.
  return [
    mode,
    ['policyAuditMode', true],
    ...(isDeaf ? ([['hubble.enabled', true]] as const) : []),
  ];
}

function withoutAudit(values: ChartValues, target: ChartValues): ChartValues {
  const plain = withoutPath(values, 'policyAuditMode');
  return valueAt(target, 'hubble.enabled') === false
    ? withValue(plain, 'hubble.enabled', false)
    : plain;
}

function replacing(
  target: ChartValues,
  inCharge: ChartValues,
  choices: PhaseChoices,
): ChartValues | undefined {
  if (!choices.kubeProxyReplacement || choices.replaceFromStart) return undefined;
  const masquerade = valueAt(target, 'bpf.masquerade');
  return withPaths(inCharge, [
    ['kubeProxyReplacement', true],
    ...(masquerade === undefined ? [] : ([['bpf.masquerade', masquerade]] as const)),
  ]);
}
