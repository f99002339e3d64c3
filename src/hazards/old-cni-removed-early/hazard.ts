/** FM-53: the old CNI is removed before the last node has left it. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import type { RunbookStep } from '../../model/runbook.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { deletions, nameStep, runbookSteps } from '../runbooks.ts';
import type { PlacedStep } from '../runbooks.ts';

export const hazard: Hazard = {
  id: 'old-cni-removed-early',
  covers: ['FM-53'],
  title: 'The old CNI is removed while nodes still depend on it',
  severity: 'critical',
  holdsFor: 'Flannel, Canal, Calico and kindnet as the source',
  why: 'Pods that run keep working without the daemon of their network, so the removal looks harmless. The next node that reboots, and every new pod there, needs the daemon: for Flannel it alone writes subnet.env. Nodes that are moved after the removal fail at their reboot.',
  references: [
    'flannel-io/flannel#2063',
    'flannel-io/flannel#2237',
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: ['flannel.daemonset-removed'] },
};

const OLD = /flannel|canal|calico|kindnet/;

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.input.runbooks.length === 0) return unjudged(MISSING.runbook);
  const steps = runbookSteps(facts);
  return judged(
    removals(facts, steps).flatMap((removal) => {
      const later = steps.filter(
        ({ runbook, index, step }) =>
          runbook === removal.runbook && index > removal.index && restartsNode(step),
      );
      const [next] = later;
      if (next === undefined) return [];
      return [
        finding(hazard, {
          certainty: 'proven',
          message: `${capital(nameStep(removal))} removes the daemon of the old network, and ${later.length} later steps still drain, reboot or upgrade nodes, the first of them ${nameStep(next)}. Unless every node was handed to the new network before, pods on those nodes fail at their sandbox after the reboot, because what the old plugin needs is gone and nobody writes it.`,
          evidence: [evidenceAt(removal.source), evidenceAt(next.source)],
          fix: {
            summary:
              'Put the removal last: after every node has moved and no pod has an address of the old network.',
          },
        }),
      ];
    }),
  );
}

function removals(facts: ClusterFacts, steps: readonly PlacedStep[]): readonly PlacedStep[] {
  const deleted = deletions(facts, 'DaemonSet', 'Namespace').filter(({ deletion }) =>
    OLD.test(deletion.name ?? deletion.selector ?? ''),
  );
  const uninstalled = steps.filter(
    ({ step }) => 'helm' in step && step.helm.action === 'uninstall' && OLD.test(step.helm.release),
  );
  return [...deleted, ...uninstalled];
}

function restartsNode(step: RunbookStep): boolean {
  if ('talos' in step) return step.talos.action === 'upgrade' || step.talos.action === 'reboot';
  return 'kubectl' in step && step.kubectl.action === 'drain';
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
