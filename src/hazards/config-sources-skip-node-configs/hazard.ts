/** FM-01: the agent is told not to read the CiliumNodeConfigs that the migration works with. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { listValue } from '../../knowledge/cilium-chart/values.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';
import { objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'config-sources-skip-node-configs',
  covers: ['FM-01'],
  title: 'Settings per node are not read',
  severity: 'high',
  holdsFor: 'Cilium charts 1.13 to 1.20',
  why: 'The init container that builds the configuration reads the ConfigMap and then the CiliumNodeConfigs of its node. daemon.configSources can leave the second out, and from chart 1.19 a single ConfigMap source leaves the container out altogether; allowed and blocked overrides can keep single keys from being set. The per-node switch of a migration then does nothing.',
  references: [
    'cilium:cilium-dbg/cmd/build-config.go@main',
    'cilium:pkg/option/resolver/resolver.go@main',
    'charts:cilium/templates/cilium-agent/daemonset.yaml@1.19.0',
  ],
  foretell,
  signs: { occurrences: [] },
};

const NEEDED = [
  'write-cni-conf-when-ready',
  'custom-cni-conf',
  'cni-exclusive',
  'cni-chaining-mode',
];

function foretell(facts: ClusterFacts): Foretelling {
  const used = objectsOf(facts, 'CiliumNodeConfig').length > 0;
  return judgedInPart(
    chartTargets(facts).flatMap((chart) => [...sources(chart, used), ...overrides(chart, used)]),
    missingTargets(facts),
  );
}

function sources(chart: ChartTarget, used: boolean): readonly Finding[] {
  const { target } = chart;
  const set = target.at('daemon.configSources');
  const newest = chart.versions.at(-1) ?? '';
  if (set === undefined || effectiveOf(chart, newest).readsNodeConfigs) return [];
  return [
    finding(hazard, {
      severity: used ? 'critical' : 'high',
      certainty: used ? 'proven' : 'likely',
      message: `daemon.configSources is ${String(set.value)}, without cilium-node-config. No CiliumNodeConfig changes anything on any node, so a node cannot be handed over to Cilium by one.`,
      evidence: [evidenceAt(set.source, set.value)],
      fix: {
        summary: 'Leave it out, or name both sources.',
        patch:
          'daemon:\n  configSources: "config-map:cilium-config,cilium-node-config:kube-system"\n',
      },
    }),
  ];
}

function overrides(chart: ChartTarget, used: boolean): readonly Finding[] {
  const { target } = chart;
  const allowed = target.at('daemon.allowedConfigOverrides');
  const blocked = target.at('daemon.blockedConfigOverrides');
  const allowedKeys = listValue(allowed?.value);
  const kept = NEEDED.filter(
    (key) =>
      (allowedKeys.length > 0 && !allowedKeys.includes(key)) ||
      listValue(blocked?.value).includes(key),
  );
  const set = blocked ?? allowed;
  if (kept.length === 0 || set === undefined) return [];
  return [
    finding(hazard, {
      severity: used ? 'high' : 'medium',
      certainty: used ? 'proven' : 'likely',
      message: `${kept.join(', ')} cannot be overridden per node, so a CiliumNodeConfig that sets ${kept.length === 1 ? 'it' : 'them'} has no effect.`,
      evidence: [allowed, blocked].flatMap((entry) =>
        entry === undefined ? [] : [evidenceAt(entry.source, entry.value)],
      ),
      fix: { summary: 'Allow these keys for the time of the migration.' },
    }),
  ];
}
