/** FM-07: the agent mounts a cgroup tree of its own, or looks for one where there is none. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart } from '../finding.ts';
import { isTalos, missingTalos } from '../talos.ts';

export const hazard: Hazard = {
  id: 'cgroup-mount-on-talos',
  covers: ['FM-07'],
  title: "The agent does not use Talos's cgroup mount",
  severity: 'medium',
  holdsFor: 'Cilium charts 1.13 to 1.20 on Talos 1.7 to 1.14',
  why: "Talos mounts cgroup2 at /sys/fs/cgroup itself. The guides of Talos and Cilium switch cgroup.autoMount off and name that mount, since the chart's own mount runs a helper in the host's namespaces and hangs socket load-balancing on a tree of its own. It has nothing to do with kernel modules.",
  references: [
    'tdocs:public/kubernetes-guides/cni/deploying-cilium.mdx@5debdd9',
    'cilium:Documentation/installation/k8s-install-talos-linux.rst@3b84ddf',
    'cilium/cilium#46010',
  ],
  foretell,
  signs: { occurrences: [] },
};

const ROOT = '/sys/fs/cgroup';

function foretell(facts: ClusterFacts): Foretelling {
  const missing = [...missingTargets(facts), ...missingTalos(facts)];
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true) return judged();
  return judged(chartTargets(facts).flatMap(judge));
}

function judge(chart: ChartTarget): readonly Finding[] {
  const { target } = chart;
  const { cgroup } = effectiveOf(chart, chart.versions.at(-1) ?? '');
  if (!cgroup.autoMount && cgroup.hostRoot === ROOT) return [];
  const path = cgroup.autoMount ? 'cgroup.autoMount.enabled' : 'cgroup.hostRoot';
  const set = target.at(path);
  return [
    finding(hazard, {
      certainty: 'likely',
      message: cgroup.autoMount
        ? `${path} ${set === undefined ? 'is not set, and its default is true' : 'is true'}. The mount-cgroup container then enters the namespaces of the host, which the reduced capabilities for Talos do not allow for, and socket load-balancing hangs on ${cgroup.hostRoot} instead of the mount that pods live in.`
        : `cgroup.autoMount is off and ${path} is ${cgroup.hostRoot}, where Talos mounts nothing. Socket load-balancing attaches to no pod.`,
      evidence: [evidenceAt(set?.source ?? target.values.nearest(path), set?.value)],
      fix: {
        summary: 'Use the mount that Talos makes.',
        patch: `cgroup:\n  autoMount:\n    enabled: false\n  hostRoot: ${ROOT}\n`,
      },
    }),
  ];
}
