/** FM-37: a cloud's control plane owns the CNI and puts it back. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { evidenceIn, finding, firstOf, judged, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'managed-platform',
  covers: ['FM-37'],
  title: 'A managed platform puts its own CNI back',
  severity: 'high',
  holdsFor: 'Amazon EKS, Google GKE, Azure AKS',
  why: "On a managed platform the CNI is an add-on or part of the node image. The provider's reconciler writes its DaemonSet and ConfigMaps back minutes later, and each replaced node comes with the old conf in place.",
  references: [
    'cilium/cilium#25131',
    'cilium/cilium#30644',
    'cilium/cilium#25804',
    'cilium:Documentation/installation/taints.rst@main',
  ],
  foretell,
  signs: { occurrences: [] },
};

interface Platform {
  readonly name: string;
  readonly label: RegExp;
  readonly managers: readonly string[];
  readonly fix: string;
}

const PLATFORMS: readonly Platform[] = [
  {
    name: 'Amazon EKS',
    label: /^eks\.amazonaws\.com\//,
    managers: ['eks'],
    fix: 'Remove the vpc-cni add-on through the EKS API (and kube-proxy when it is replaced), then replace the node groups with ones that carry the new CNI and its start-up taint.',
  },
  {
    name: 'Google GKE',
    label: /^cloud\.google\.com\/gke-/,
    managers: ['addon-manager', 'kubelet-gke'],
    fix: 'Change the network through the GKE API; node images bring their own conf, so what is changed on a node is gone with the node.',
  },
  {
    name: 'Azure AKS',
    label: /^kubernetes\.azure\.com\//,
    managers: ['addon-manager'],
    fix: 'Create the cluster with network plugin "none", or use the documented upgrade of the network plugin; node pools are re-imaged with the old conf otherwise.',
  },
];

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const nodes = facts.nodes.value;
  const platform = PLATFORMS.find(({ label }) =>
    nodes.some(({ object }) =>
      Object.keys(object.metadata.labels ?? {}).some((key) => label.test(key)),
    ),
  );
  if (platform === undefined) return judged();
  const labelled: readonly Evidence[] = nodes.flatMap(({ object, source }) => {
    const key = Object.keys(object.metadata.labels ?? {}).find((name) => platform.label.test(name));
    return key === undefined ? [] : [evidenceAt(source, key)];
  });
  const owned = facts.workloads.daemonSets.filter(({ value }) =>
    value.metadata.managedFields?.some(({ manager }) => platform.managers.includes(manager ?? '')),
  );
  return judged([
    finding(hazard, {
      certainty: owned.length > 0 ? 'proven' : 'likely',
      message: `The nodes belong to ${platform.name}. Its control plane owns the CNI that is there: what the migration deletes or patches is written back after minutes, and every new or recycled node starts with the old conf.`,
      evidence: firstOf([
        ...owned.map((set) => evidenceIn(facts, set, 'metadata.managedFields')),
        ...labelled,
      ]),
      fix: { summary: platform.fix },
    }),
  ]);
}
