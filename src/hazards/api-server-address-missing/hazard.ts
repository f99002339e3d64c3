/** FM-06: kube-proxy goes, and the agent is not told another way to the API server. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart } from '../finding.ts';
import { replacesKubeProxy } from '../target.ts';
import { isTalos, proxyOff } from '../talos.ts';

export const hazard: Hazard = {
  id: 'api-server-address-missing',
  covers: ['FM-06'],
  title: 'kube-proxy goes, and the agent has no address of the API server',
  severity: 'critical',
  holdsFor: 'Cilium charts 1.13 to 1.20',
  why: 'Without k8sServiceHost agent, init containers and operator use the ClusterIP of the kubernetes Service. Something must translate that address: kube-proxy, or the very agent that is not running yet. Where kube-proxy is gone, every agent start waits for an answer that never comes, and nothing inside the cluster can mend it.',
  references: [
    'cilium:Documentation/network/kubernetes/kubeproxy-free.rst@main',
    'charts:cilium/templates/cilium-agent/daemonset.yaml@1.16.5',
    'siderolabs/talos#10598',
    'cilium/cilium#34253',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.service-address-untranslated'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const missing = missingTargets(facts);
  if (missing.length > 0) return judgedInPart([], missing);
  const removals = facts.machineConfigs.flatMap((config) => proxyOff(config) ?? []);
  return judged(
    chartTargets(facts).flatMap((chart) => [...judge(facts, chart, removals), ...portOf(chart)]),
  );
}

function judge(
  facts: ClusterFacts,
  chart: ChartTarget,
  removals: readonly Evidence[],
): readonly Finding[] {
  const { target } = chart;
  if (hasAddress(chart)) return [];
  const replaces = replacesKubeProxy(target);
  const absent = facts.kubeProxy.known && !facts.kubeProxy.value.present;
  if (!replaces && removals.length === 0 && !absent) return [];
  const replacement = target.at('kubeProxyReplacement');
  const reasons = [
    ...(removals.length > 0 ? ['a machine config takes kube-proxy away'] : []),
    ...(replaces ? ['kubeProxyReplacement is asked for'] : []),
    ...(absent ? ['the cluster has no kube-proxy'] : []),
  ];
  const gone = removals.length > 0 || absent;
  return [
    finding(hazard, {
      severity: gone ? 'critical' : 'high',
      certainty: gone ? 'proven' : 'likely',
      message: `k8sServiceHost is not set, and ${reasons.join(', and ')}. The agent then asks for the API server at the ClusterIP of the kubernetes Service, which only kube-proxy, or a running agent, translates: from the moment kube-proxy's rules are gone an agent that starts cannot reach the API server ("dial tcp 10.96.0.1:443: i/o timeout").`,
      evidence: [
        replacement === undefined
          ? evidenceAt(target.values.nearest('k8sServiceHost'))
          : evidenceAt(replacement.source, replacement.value),
        ...removals,
      ],
      fix: fix(facts),
    }),
  ];
}

function hasAddress(chart: ChartTarget): boolean {
  const { target } = chart;
  const version = chart.versions.at(-1) ?? '';
  const other = ['k8sServiceHostRef.name', 'k8s.apiServerURLs', 'kubeConfigPath'];
  return (
    effectiveOf(chart, version).k8sServiceHost !== undefined ||
    other.some((path) => target.at(path) !== undefined)
  );
}

function fix(facts: ClusterFacts): Finding['fix'] {
  return isTalos(facts) === true
    ? {
        summary:
          'Name KubePrism, which listens on every Talos node that has it enabled, and keep kube-proxy until every agent runs with it.',
        patch: 'k8sServiceHost: localhost\nk8sServicePort: 7445\n',
      }
    : {
        summary:
          'Name an address of the API server that needs neither a Service nor cluster DNS: a load balancer, or a control-plane node.',
        patch: 'k8sServiceHost: <address>\nk8sServicePort: 6443\n',
      };
}

/** A host without a port means 443, which no kube-apiserver listens on by default. */
function portOf(chart: ChartTarget): readonly Finding[] {
  const host = chart.target.at('k8sServiceHost');
  const version = chart.versions.at(-1) ?? '';
  const effective = effectiveOf(chart, version);
  if (effective.k8sServiceHost === undefined || effective.k8sServiceHost === 'auto') return [];
  if (effective.k8sServicePort !== undefined) return [];
  return [
    finding(hazard, {
      severity: 'high',
      certainty: 'likely',
      title: 'The address of the API server has no port',
      message: `k8sServiceHost is ${String(host?.value)} and k8sServicePort is not set, which means 443.`,
      evidence: [evidenceAt(host?.source ?? chart.target.source, host?.value)],
      fix: { summary: 'Set k8sServicePort: 7445 for KubePrism, 6443 for a kube-apiserver.' },
    }),
  ];
}
