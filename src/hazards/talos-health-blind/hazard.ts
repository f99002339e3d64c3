/** FM-34: `talosctl health` is green with cni none whatever the network does. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { healthBlindWithoutCni } from '../../knowledge/talos-versions.ts';
import { finding, firstOf, judged, judgedInPart, MISSING } from '../finding.ts';
import { cniNone, MISSING_TALOS_VERSION, talosVersions } from '../talos.ts';

export const hazard: Hazard = {
  id: 'talos-health-blind',
  covers: ['FM-34'],
  title: 'talosctl health does not look at the network any more',
  severity: 'info',
  holdsFor: 'Talos 1.13 and 1.14',
  why: 'From 1.13 the checks for ready nodes and for CoreDNS are left out as soon as the machine config says that the CNI is none. The command ends green while no pod has a network.',
  references: ['talos:pkg/cluster/check/default.go@v1.13.9', 'siderolabs/talos@57599fb87'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return judgedInPart([], [MISSING.machineConfigs]);
  const evidence = facts.machineConfigs.flatMap((config) => cniNone(config) ?? []);
  if (evidence.length === 0) return judged();
  const { versions, known } = talosVersions(facts);
  if (!known) return judgedInPart([], [MISSING_TALOS_VERSION]);
  const blind = versions.filter((version) => healthBlindWithoutCni(version));
  if (blind.length === 0) return judged();
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `With cni none talosctl health of Talos ${blind.join(', ')} skips ready nodes and CoreDNS. It is no gate for this change.`,
      evidence: firstOf(evidence),
      fix: {
        summary: 'Judge by nodes, DNS and probes between pods, as the gates of a plan do.',
        command: 'kubectl get nodes,pods -A -o wide',
      },
    }),
  ]);
}
