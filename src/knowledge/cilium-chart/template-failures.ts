/**
 * Where the chart's templates call `fail`, as rules: which merged values stop a rendering, and in
 * what words. Sources: charts:cilium/templates/{validate,cilium-configmap}.yaml@1.13.18 … 1.20.0.
 */
import { atLeast } from '../../base/versions.ts';
import { CHART_VALUES, rowEffect } from './chart-values.ts';
import { kubeProxyReplacementText } from './kube-proxy-replacement.ts';
import type { ValueProblem } from './schema.ts';
import { hasPath, isTruthy, listValue, showValue, valueAt, type ChartValues } from './values.ts';

interface TemplateRule {
  readonly template: 'validate.yaml' | 'cilium-configmap.yaml';
  /** First chart with the rule; absent: all. */
  readonly since?: string;
  /** First chart without it. */
  readonly until?: string;
  /** The value to point at when the rule fails, or undefined when it holds. */
  fails(values: ChartValues, version: string): string | undefined;
  readonly message: string | ((version: string) => string);
}

export interface TemplateProblem extends ValueProblem {
  readonly template: string;
}

/** All failures a rendering of the merged values would meet; Helm reports the first. */
export function templateProblems(version: string, values: ChartValues): readonly TemplateProblem[] {
  const problems = [...removedValueProblems(version, values)];
  for (const rule of RULES) {
    if (rule.since !== undefined && !atLeast(version, rule.since)) continue;
    if (rule.until !== undefined && atLeast(version, rule.until)) continue;
    const path = rule.fails(values, version);
    if (path === undefined) continue;
    const message = typeof rule.message === 'string' ? rule.message : rule.message(version);
    problems.push({ path, kind: 'template', message, template: rule.template });
  }
  return problems;
}

function removedValueProblems(version: string, values: ChartValues): readonly TemplateProblem[] {
  return CHART_VALUES.flatMap((row) => {
    if (row.message === undefined || rowEffect(row, version) !== 'template-fail') return [];
    const set = row.whenTruthy ? isTruthy(valueAt(values, row.path)) : hasPath(values, row.path);
    if (!set) return [];
    const template = row.source.includes('configmap') ? 'cilium-configmap.yaml' : 'validate.yaml';
    return [{ path: row.path, kind: 'template' as const, message: row.message, template }];
  });
}

function when(condition: boolean, path: string): string | undefined {
  return condition ? path : undefined;
}

const RULES: readonly TemplateRule[] = [
  {
    template: 'cilium-configmap.yaml',
    fails: (values, version) =>
      when(
        !acceptedReplacements(version).includes(kubeProxyReplacementText(version, values)),
        'kubeProxyReplacement',
      ),
    message: (version) =>
      REPLACEMENT_MESSAGES.find(({ since }) => atLeast(version, since))?.text ?? '',
  },
  {
    template: 'validate.yaml',
    since: '1.18',
    fails: (values) =>
      when(
        isTruthy(valueAt(values, 'k8sServiceHostRef.name')) &&
          isTruthy(valueAt(values, 'k8sServiceHostRef.key')) &&
          isTruthy(valueAt(values, 'k8sServiceHost')),
        'k8sServiceHostRef',
      ),
    message: 'Both k8sServiceHostRef and k8sServiceHost are set. Please set only one of them.',
  },
  {
    template: 'validate.yaml',
    fails: (values) =>
      when(
        isTruthy(valueAt(values, 'hubble.ui.enabled')) &&
          !isTruthy(valueAt(values, 'hubble.ui.standalone.enabled')) &&
          !isTruthy(valueAt(values, 'hubble.relay.enabled')),
        'hubble.ui.enabled',
      ),
    message: 'Hubble UI requires .Values.hubble.relay.enabled=true',
  },
  {
    template: 'validate.yaml',
    fails: (values) =>
      when(
        isTruthy(valueAt(values, 'hubble.relay.enabled')) &&
          !isTruthy(valueAt(values, 'hubble.enabled')),
        'hubble.relay.enabled',
      ),
    message: 'Hubble Relay requires .Values.hubble.enabled=true',
  },
  {
    template: 'validate.yaml',
    fails: (values) => when(usesEnvoy(values) && !isTruthy(valueAt(values, 'l7Proxy')), 'l7Proxy'),
    message:
      "Ingress or Gateway API controller or Envoy L7 Load Balancer  requires .Values.l7Proxy to be set to 'true'",
  },
  {
    template: 'validate.yaml',
    since: '1.16',
    fails: (values) => when(showValue(valueAt(values, 'cluster.name')) === '', 'cluster.name'),
    message: 'The cluster name is invalid: cannot be empty',
  },
  {
    template: 'validate.yaml',
    since: '1.16',
    fails: (values, version) =>
      when(
        checksClusterName(values, version) &&
          showValue(valueAt(values, 'cluster.name')).length > 32,
        'cluster.name',
      ),
    message: (version) =>
      `The cluster name is invalid: must not be more than 32 characters${escapeHatch(version)}`,
  },
  {
    template: 'validate.yaml',
    since: '1.16',
    fails: (values, version) => {
      const name = showValue(valueAt(values, 'cluster.name'));
      return when(
        checksClusterName(values, version) &&
          name !== '' &&
          !/^([a-z0-9][-a-z0-9]*)?[a-z0-9]$/.test(name),
        'cluster.name',
      );
    },
    message: (version) =>
      "The cluster name is invalid: must consist of lower case alphanumeric characters and '-', " +
      `and must start and end with an alphanumeric character${escapeHatch(version)}`,
  },
  {
    template: 'validate.yaml',
    since: '1.16',
    fails: (values) =>
      when(
        valueAt(values, 'cluster.name') === 'default' &&
          Number(valueAt(values, 'cluster.id') ?? 0) !== 0,
        'cluster.name',
      ),
    message: 'The cluster name is invalid: cannot use default value with cluster.id != 0',
  },
  {
    template: 'cilium-configmap.yaml',
    since: '1.14',
    fails: (values) =>
      when(
        isTruthy(valueAt(values, 'operator.setNodeTaints')) &&
          !isTruthy(valueAt(values, 'operator.removeNodeTaints')),
        'operator.setNodeTaints',
      ),
    message: 'Cannot have operator.setNodeTaintsMaxNodes and not operator.removeNodeTaints = false',
  },
  {
    template: 'cilium-configmap.yaml',
    since: '1.18',
    fails: (values) =>
      when(
        needsNativeCidr(values, 'ipv4') &&
          !['eni', 'alibabacloud'].includes(showValue(valueAt(values, 'ipam.mode'))),
        'routingMode',
      ),
    message: ' ipv4NativeRoutingCIDR must be set when routingMode is native',
  },
  {
    template: 'cilium-configmap.yaml',
    since: '1.18',
    fails: (values) => when(needsNativeCidr(values, 'ipv6'), 'routingMode'),
    message: 'ipv6NativeRoutingCIDR must be set when routingMode is native',
  },
  {
    template: 'cilium-configmap.yaml',
    since: '1.20',
    fails: (values) =>
      when(
        isTruthy(valueAt(values, 'nativeRoutingCIDRFromClusterPool')) &&
          valueAt(values, 'ipam.mode') === 'cluster-pool' &&
          !isTruthy(valueAt(values, 'ipv4NativeRoutingCIDR')) &&
          listValue(valueAt(values, 'ipam.operator.clusterPoolIPv4PodCIDRList')).length !== 1,
        'nativeRoutingCIDRFromClusterPool',
      ),
    message:
      'nativeRoutingCIDRFromClusterPool requires exactly one CIDR in ipam.operator.clusterPoolIPv4PodCIDRList; set ipv4NativeRoutingCIDR explicitly instead',
  },
  {
    template: 'validate.yaml',
    since: '1.20',
    fails: (values) =>
      when(
        valueAt(values, 'ipam.mode') === 'eni' && !isTruthy(valueAt(values, 'eni.enabled')),
        'ipam.mode',
      ),
    message: 'ipam.mode=eni requires eni.enabled=true',
  },
  {
    template: 'validate.yaml',
    since: '1.19',
    fails: (values) =>
      when(
        isTruthy(valueAt(values, 'bpf.tproxy')) &&
          ['netkit', 'netkit-l2'].includes(showValue(valueAt(values, 'bpf.datapathMode'))),
        'bpf.tproxy',
      ),
    message:
      '.Values.bpf.tproxy cannot be enabled with .Values.bpf.datapathMode=netkit or .Values.bpf.datapathMode=netkit-l2',
  },
];

const REPLACEMENT_MESSAGES: readonly { readonly since: string; readonly text: string }[] = [
  {
    since: '1.16',
    text: 'kubeProxyReplacement must be explicitly set to a valid value (true or false) to continue.',
  },
  {
    since: '1.14',
    text: 'kubeProxyReplacement must be explicitly set to a valid value (true, false, disabled (deprecated), partial (deprecated), or strict (deprecated)) to continue.',
  },
  {
    since: '0.0',
    text: 'kubeproxyReplacement must be explicitly set to a valid value (disabled, partial, or strict) to continue.',
  },
];

/** What the chart of a version takes for `kubeProxyReplacement`. */
export function acceptedReplacements(version: string): readonly string[] {
  if (atLeast(version, '1.16.0')) return ['true', 'false'];
  const old = ['disabled', 'partial', 'strict'];
  return atLeast(version, '1.14.0') ? ['true', 'false', ...old] : old;
}

function usesEnvoy(values: ChartValues): boolean {
  return (
    isTruthy(valueAt(values, 'ingressController.enabled')) ||
    isTruthy(valueAt(values, 'gatewayAPI.enabled')) ||
    valueAt(values, 'loadBalancer.l7.backend') === 'envoy'
  );
}

/** 1.16 checks the name unless upgradeCompatibility says an older first install; 1.17 always. */
function checksClusterName(values: ChartValues, version: string): boolean {
  if (atLeast(version, '1.17.0')) return true;
  const compatibility = showValue(valueAt(values, 'upgradeCompatibility'));
  return compatibility === '' || atLeast(compatibility, '1.16');
}

function escapeHatch(version: string): string {
  if (atLeast(version, '1.17.0')) return '';
  return ". Configure 'upgradeCompatibility' to 1.15 or earlier to temporarily skip this check at your own risk";
}

/**
 * Masquerading counts as it is written: left out, IPv4's is null since 1.18, which means on to the
 * agent and is no reason to the template.
 */
function needsNativeCidr(values: ChartValues, family: 'ipv4' | 'ipv6'): boolean {
  const masquerade = valueAt(
    values,
    family === 'ipv4' ? 'enableIPv4Masquerade' : 'enableIPv6Masquerade',
  );
  const fromPool =
    valueAt(values, 'ipam.mode') === 'cluster-pool' &&
    isTruthy(valueAt(values, 'nativeRoutingCIDRFromClusterPool'));
  return (
    valueAt(values, 'routingMode') === 'native' &&
    isTruthy(valueAt(values, `${family}.enabled`)) &&
    isTruthy(masquerade) &&
    !isTruthy(valueAt(values, 'ipMasqAgent.enabled')) &&
    !fromPool &&
    !isTruthy(valueAt(values, `${family}NativeRoutingCIDR`))
  );
}
