/** FM-20: what is to install the new network runs on the old one. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judgedInPart, listOf, MISSING, missingUnlessLive } from '../finding.ts';
import { nameOf, runsImage, templates } from '../objects.ts';

export const hazard: Hazard = {
  id: 'executor-on-pod-network',
  covers: ['FM-20'],
  title: 'An installer inside the cluster depends on the network it would replace',
  severity: 'info',
  holdsFor: 'Flux, Argo CD, Fleet, K3s and RKE2 Helm jobs, system-upgrade-controller',
  why: 'A controller on the pod network needs cluster DNS, Service addresses, image pulls and admission to act. When a step breaks one of these it can neither finish the step nor undo it, with half of the nodes done.',
  references: ['projectcalico/calico#13871', 'tigera/operator#5318', 'deckhouse/deckhouse#21714'],
  foretell,
  signs: { occurrences: [] },
};

const INSTALLERS = [
  'helm-controller',
  'kustomize-controller',
  'argocd',
  'fleet-agent',
  'klipper-helm',
  'system-upgrade-controller',
  'tigera-operator',
];

function foretell(facts: ClusterFacts): Foretelling {
  const installers = templates(facts).filter(
    ({ spec, owner }) =>
      spec.hostNetwork !== true &&
      runsImage(spec, ...INSTALLERS) &&
      owner.value.kind !== 'DaemonSet',
  );
  const findings: readonly Finding[] =
    installers.length === 0
      ? []
      : [
          finding(hazard, {
            certainty: 'proven',
            message: `${listOf(installers.map(({ owner }) => nameOf(owner.value)))} can install things in this cluster and ${installers.length === 1 ? 'runs' : 'run'} on the pod network. If the CNI is delivered that way, the step that breaks the network also stops whatever would finish or undo it.`,
            evidence: firstOf(installers.map(({ owner }) => evidenceAt(owner.source))),
            fix: {
              summary:
                'Run the migration from outside the cluster, against a control plane by its own address, with every image pulled before; hand the result to the repository afterwards.',
            },
          }),
        ];
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.workloads));
}
