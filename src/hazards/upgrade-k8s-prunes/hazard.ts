/** FM-35: from Talos 1.13 `upgrade-k8s` takes the old CNI away under the pods it still carries. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { upgradeK8sPrunes } from '../../knowledge/talos-versions.ts';
import { finding, firstOf, judged, judgedInPart, MISSING } from '../finding.ts';
import { cniNone, isTalos, MISSING_TALOS_VERSION, proxyOff, talosVersions } from '../talos.ts';

export const hazard: Hazard = {
  id: 'upgrade-k8s-prunes',
  covers: ['FM-35'],
  title: 'talosctl upgrade-k8s would delete the CNI that still carries pods',
  severity: 'medium',
  holdsFor: 'Talos 1.13 and 1.14; up to 1.12 nothing is ever deleted',
  why: 'From 1.13 upgrade-k8s applies the bootstrap manifests with an inventory and prunes objects that are no longer rendered. Once the configs say cni none or disable kube-proxy, an upgrade of Kubernetes for quite another reason deletes Flannel and kube-proxy on all nodes at once.',
  references: [
    'talos:pkg/cluster/kubernetes/talos_managed.go@v1.13.9',
    'talos:cmd/talosctl/cmd/talos/upgrade-k8s.go@v1.13.9',
  ],
  foretell,
  signs: { occurrences: ['talos.manifests-pruned'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return judgedInPart([], [MISSING.machineConfigs]);
  const away = facts.machineConfigs.flatMap((config) => [
    ...(cniNone(config) === undefined ? [] : [cniNone(config)]),
    ...(proxyOff(config) === undefined ? [] : [proxyOff(config)]),
  ]);
  const evidence = away.filter((entry): entry is Evidence => entry !== undefined);
  if (evidence.length === 0 || isTalos(facts) !== true) return judged();
  const { sourceCni } = facts;
  if (sourceCni.known && sourceCni.value === 'cilium') return judged();
  const { versions, known } = talosVersions(facts);
  if (!known) return judgedInPart([], [MISSING_TALOS_VERSION]);
  if (!versions.some((version) => upgradeK8sPrunes(version))) return judged();
  const planned = plannedUpgrades(facts);
  return judged([
    finding(hazard, {
      severity: planned.length > 0 ? 'critical' : 'medium',
      certainty: planned.length > 0 ? 'proven' : 'possible',
      message: `The configs take the CNI or kube-proxy away, on Talos ${versions.join(', ')}. ${planned.length > 0 ? 'The runbook runs upgrade-k8s' : 'Should anybody run upgrade-k8s'} before the last node is migrated, ${planned.length > 0 ? 'which deletes' : 'it deletes'} their objects everywhere.`,
      evidence: firstOf([...planned, ...evidence]),
      fix: {
        summary:
          'Run no upgrade-k8s between the config change and the removal of the old CNI; if it must be, with --manifests-no-prune.',
        command: 'talosctl upgrade-k8s --manifests-no-prune --dry-run',
      },
    }),
  ]);
}

function plannedUpgrades(facts: ClusterFacts): readonly Evidence[] {
  return facts.input.runbooks.flatMap(({ runbook, source }) =>
    runbook.steps.flatMap((step, index) =>
      'talos' in step && step.talos.action === 'upgrade-k8s'
        ? [evidenceAt({ ...source, path: `steps[${index}]` }, 'upgrade-k8s')]
        : [],
    ),
  );
}
