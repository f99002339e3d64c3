/** FM-35: a CNI among the manifests that Talos creates once and never changes. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, judgedInPart, listOf, MISSING } from '../finding.ts';

export const hazard: Hazard = {
  id: 'inline-cni-manifest',
  covers: ['FM-35'],
  title: 'A CNI is among the inline manifests of Talos',
  severity: 'high',
  holdsFor: 'Talos 1.7 to 1.14',
  why: 'Inline and external manifests are created where they are missing and never updated by the node. A rendered Cilium there is not changed by editing the config, fights Helm over ownership, and comes back when it is deleted; upgrade-k8s applies or, from 1.13, prunes it.',
  references: [
    'talos:internal/app/machined/pkg/controllers/k8s/manifest_apply.go@v1.10.5',
    'talos:pkg/cluster/kubernetes/talos_managed.go@v1.13.9',
    'siderolabs/talos#8836',
    'siderolabs/talos#13958',
  ],
  foretell,
  signs: { occurrences: [] },
};

const CNI = /\b(cilium|flannel|calico|canal|kube-router|antrea)\b/i;

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return judgedInPart([], [MISSING.machineConfigs]);
  return judged(facts.machineConfigs.flatMap(judge));
}

interface Manifest {
  readonly name: string;
  readonly evidence: Evidence;
}

function judge(config: MachineConfigFacts): readonly Finding[] {
  const manifests = [...listed(config), ...named(config)];
  if (manifests.length === 0) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(manifests.map(({ name }) => name))} in the machine config ${manifests.length === 1 ? 'holds' : 'hold'} a CNI. Talos creates what is missing of it and never updates it, so later values reach the cluster only through another hand, and what a migration deletes comes back.`,
      evidence: firstOf(manifests.map(({ evidence }) => evidence)),
      fix: {
        summary:
          'Take the manifest out of the config of every control plane before the migration, and let Helm own the CNI.',
      },
    }),
  ];
}

/** Entries of cluster.inlineManifests, and URLs of cluster.extraManifests. */
function listed({ input }: MachineConfigFacts): readonly Manifest[] {
  return input.documents.flatMap(({ kind, tree }) => {
    if (kind !== 'v1alpha1') return [];
    return ['inlineManifests', 'extraManifests'].flatMap((list) => {
      const found = tree.at(['cluster', list]);
      if (!Array.isArray(found?.value)) return [];
      return found.value.flatMap((entry: unknown, index) => {
        const text = typeof entry === 'string' ? entry : JSON.stringify(entry);
        if (!CNI.test(text)) return [];
        const at = tree.at(['cluster', list, index, 'name']) ?? tree.at(['cluster', list, index]);
        const name = typeof at?.value === 'string' ? at.value : `${list}[${index}]`;
        return [{ name, evidence: evidenceAt(at?.source ?? found.source, name) }];
      });
    });
  });
}

/** Documents of 1.14. */
function named({ input }: MachineConfigFacts): readonly Manifest[] {
  return input.documents.flatMap(({ kind, name = kind, tree }) => {
    if (!['KubeInlineManifestConfig', 'KubeExternalManifestConfig'].includes(kind)) return [];
    if (!CNI.test(JSON.stringify(tree.value))) return [];
    return [{ name, evidence: evidenceAt(tree.at('name')?.source ?? tree.source, name) }];
  });
}
