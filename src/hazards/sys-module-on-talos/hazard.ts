/** FM-71: the agent asks for SYS_MODULE, which Talos gives to no workload. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { defaultOf } from '../../knowledge/cilium-chart/defaults.ts';
import { DROPPED_CAPABILITIES } from '../../knowledge/talos-versions.ts';
import { chartTargets, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart } from '../finding.ts';
import { isTalos, missingTalos } from '../talos.ts';

export const hazard: Hazard = {
  id: 'sys-module-on-talos',
  covers: ['FM-71'],
  title: 'The agent asks for a capability that Talos gives to nobody',
  severity: 'high',
  holdsFor: 'Cilium charts 1.13 to 1.20 on every Talos version read (1.7 to 1.14)',
  why: "The chart's default lists hold SYS_MODULE. Talos drops SYS_MODULE and SYS_BOOT from the bounding set of every workload, so the runtime cannot start a container that asks for one of them.",
  references: [
    'talos:pkg/machinery/constants/constants.go@v1.13.9',
    'tdocs:public/kubernetes-guides/cni/deploying-cilium.mdx@5debdd9',
    'cilium:Documentation/installation/k8s-install-talos-linux.rst@3b84ddf',
  ],
  foretell,
  signs: { occurrences: [] },
};

const ROLES = ['ciliumAgent', 'cleanCiliumState'];

function foretell(facts: ClusterFacts): Foretelling {
  const missing = [...missingTargets(facts), ...missingTalos(facts)];
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true) return judged();
  return judged(
    chartTargets(facts).flatMap((chart) => ROLES.flatMap((role) => judge(chart, role))),
  );
}

function judge(chart: ChartTarget, role: string): readonly Finding[] {
  const { target } = chart;
  const path = `securityContext.capabilities.${role}`;
  const set = target.at(path);
  const newest = chart.versions.at(-1) ?? '';
  const list = set === undefined ? defaultOf(newest, path) : set.value;
  if (!Array.isArray(list)) return [];
  const refused = list.map(String).filter((name) => DROPPED_CAPABILITIES.includes(name));
  if (refused.length === 0) return [];
  const kept = list.map(String).filter((name) => !DROPPED_CAPABILITIES.includes(name));
  const state = set === undefined ? 'is not set, and the default list holds' : 'holds';
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${path} ${state} ${refused.join(' and ')}. Talos drops it for every workload, so the container that asks for it does not start.`,
      evidence: [evidenceAt(set?.source ?? target.values.nearest(path), set?.value)],
      fix: {
        summary: 'Write the list without it, as the guides of Talos and Cilium do.',
        patch: `securityContext:\n  capabilities:\n    ${role}: [${kept.filter((name) => name !== 'SYSLOG').join(', ')}]\n`,
      },
    }),
  ];
}
