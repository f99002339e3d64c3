/** FM-01: `cni.customConf` takes the conf away from the agent, and `cni.exclusive` with it. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart } from '../finding.ts';
import { objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'custom-conf-without-path',
  covers: ['FM-01'],
  title: 'The agent never writes its CNI conf',
  severity: 'critical',
  holdsFor: 'Cilium charts 1.13 to 1.20',
  why: 'With cni.customConf the chart leaves out write-cni-conf-when-ready, cni-exclusive and cni-log-file. Without a path the agent has no conf to manage: it writes nothing and renames nothing, and the runtime goes on with the old CNI. cni.exclusive is then without effect, in the values and in the ConfigMap.',
  references: [
    'charts:cilium/templates/cilium-configmap.yaml@1.16.5',
    'cilium:daemon/cmd/cni/config.go@01990e1',
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
    'truth:P01',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.conf-management-disabled'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const missing = missingTargets(facts);
  if (missing.length > 0) return judgedInPart([], missing);
  const taken = hasNodeConfigWithPath(facts);
  return judged(chartTargets(facts).flatMap((chart) => judge(chart, taken)));
}

/** A CiliumNodeConfig that names a path hands the conf back, node by node: the documented way. */
function hasNodeConfigWithPath(facts: ClusterFacts): boolean {
  return objectsOf(facts, 'CiliumNodeConfig').some(
    ({ tree }) => tree.at(['spec', 'defaults', 'write-cni-conf-when-ready']) !== undefined,
  );
}

function judge(chart: ChartTarget, taken: boolean): readonly Finding[] {
  const { target } = chart;
  const version = chart.versions.at(-1) ?? '';
  const effective = effectiveOf(chart, version);
  const custom = target.at('cni.customConf');
  if (effective.writesConf || custom === undefined || taken) return [];
  const exclusive = target.at('cni.exclusive');
  const wanted = exclusive?.value === true;
  const said =
    exclusive === undefined
      ? ''
      : ` cni.exclusive: ${String(exclusive.value)} has no effect beside it.`;
  return [
    finding(hazard, {
      severity: exclusive === undefined ? 'high' : 'critical',
      certainty: exclusive === undefined ? 'likely' : 'proven',
      message: `cni.customConf is ${String(custom.value)} and no cni.configMap is named, so the agent is told no path to write to. It is up and healthy, and no pod ever becomes its own: new pods get addresses of the old CNI, or fail with the old CNI's error once that is broken.${said}`,
      evidence: [
        evidenceAt(custom.source, custom.value),
        ...(exclusive === undefined ? [] : [evidenceAt(exclusive.source, exclusive.value)]),
      ],
      fix: wanted
        ? {
            summary:
              'For a cut-over of all nodes at once, let the agent manage the conf. For a migration node by node, keep customConf and give each node its own path with a CiliumNodeConfig, as the documented procedure does.',
            patch: 'cni:\n  customConf: false\n  exclusive: true\n',
          }
        : {
            summary:
              'Keep customConf for the first phase and give each node its own path with a CiliumNodeConfig; set customConf to false with the final values.',
          },
    }),
  ];
}
