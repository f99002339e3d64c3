/**
 * The words in which hazards answer: one finding from a hazard's own card, a judged or an unjudged
 * foretelling, and evidence that points into the object it was read from.
 */
import type { Source } from '../base/source.ts';
import { showPath, type TreePath } from '../model/config-tree.ts';
import type { ReadObject } from '../model/cluster-input.ts';
import type { ClusterFacts } from '../model/facts.ts';
import { evidenceAt } from '../model/finding.ts';
import type { Certainty, Evidence, Finding, Fix, Severity } from '../model/finding.ts';
import type { Foretelling, Hazard } from '../model/hazard.ts';
import type { KubeObject } from '../model/kubernetes.ts';

export interface FindingDetails {
  readonly message: string;
  readonly evidence: readonly Evidence[];
  readonly certainty: Certainty;
  readonly fix: Fix | null;
  /** Where the evidence makes it graver or milder than the hazard's own. */
  readonly severity?: Severity;
  readonly title?: string;
}

export function finding(hazard: Hazard, details: FindingDetails): Finding {
  return {
    hazard: hazard.id,
    covers: hazard.covers,
    severity: details.severity ?? hazard.severity,
    certainty: details.certainty,
    title: details.title ?? hazard.title,
    message: details.message,
    evidence: details.evidence,
    fix: details.fix,
    references: hazard.references,
  };
}

/** The hazard was judged on all it needs; no findings means it does not hold here. */
export function judged(findings: readonly Finding[] = []): Foretelling {
  return { findings, missing: [] };
}

/** The hazard was judged on a part: what was found stands, and the rest is said to be unknown. */
export function judgedInPart(
  findings: readonly Finding[],
  missing: readonly string[],
): Foretelling {
  return { findings, missing: [...new Set(missing)] };
}

export function unjudged(...missing: readonly string[]): Foretelling {
  return judgedInPart([], missing);
}

/** What a hazard says it lacks, with the command that would tell; shared so that reports can merge. */
export const MISSING = {
  nodes: 'Node objects (kubectl get nodes -o json)',
  pods: 'Pods of the cluster (kubectl get pods -A -o json)',
  workloads: 'workloads of the cluster (kubectl get pods,ds,deploy,sts -A -o json)',
  budgets: 'PodDisruptionBudgets of the cluster (kubectl get pdb -A -o json)',
  services: 'Services of the cluster (kubectl get services -A -o json)',
  policies: 'network policies of the cluster (kubectl get netpol,cnp,ccnp -A -o json)',
  webhooks:
    'admission webhooks (kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o json)',
  volumes: 'PersistentVolumes of the cluster (kubectl get pv -o json)',
  customObjects: 'objects of the cluster (kubectl get <kinds> -A -o json)',
  targetValues: 'Helm values of the target Cilium',
  targetPool: 'the pod pool of the target (ipam.operator.clusterPoolIPv4PodCIDRList)',
  machineConfigs: 'Talos machine configs (talosctl get machineconfig -o yaml)',
  cniConfs: 'CNI confs of a node (talosctl ls -l /etc/cni/net.d, talosctl read)',
  sourceCni: 'the CNI that is to be replaced (its DaemonSet, or a CNI conf)',
  runbook: 'a runbook: the commands that are to be typed, as data',
  distribution: 'the distribution of the nodes (kubectl get nodes -o json)',
} as const;

/** Kinds of which one object shows that such objects were read at all. */
const SHOWN_BY: Readonly<Record<string, readonly string[]>> = {
  [MISSING.nodes]: ['Node'],
  [MISSING.pods]: ['Pod'],
  [MISSING.workloads]: ['Pod', 'DaemonSet', 'Deployment', 'StatefulSet'],
  [MISSING.budgets]: ['PodDisruptionBudget'],
  [MISSING.services]: ['Service'],
  [MISSING.policies]: [
    'NetworkPolicy',
    'CiliumNetworkPolicy',
    'CiliumClusterwideNetworkPolicy',
    'GlobalNetworkPolicy',
  ],
  [MISSING.webhooks]: ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
  [MISSING.volumes]: ['PersistentVolume'],
};

const kindsOfInput = new WeakMap<ClusterFacts, ReadonlySet<string>>();

function kindsRead(facts: ClusterFacts): ReadonlySet<string> {
  let kinds = kindsOfInput.get(facts);
  if (kinds === undefined) {
    kinds = new Set([
      ...facts.input.objects.map(({ object }) => object.kind),
      ...(facts.input.kindsListed ?? []),
    ]);
    kindsOfInput.set(facts, kinds);
  }
  return kinds;
}

/**
 * The missing facts of a hazard that judges live objects. A cluster without a single budget and a
 * snapshot without its budgets look alike, so none read is unknown, unless an empty list was read.
 */
export function missingUnlessLive(
  facts: ClusterFacts,
  ...missing: readonly string[]
): readonly string[] {
  if (!facts.cluster.hasLiveObjects) return missing;
  return missing.filter((what) => {
    const kinds = SHOWN_BY[what];
    return kinds !== undefined && !kinds.some((kind) => kindsRead(facts).has(kind));
  });
}

/** Evidence at a path inside an object, with file, line and column where its text was kept. */
export function evidenceIn(
  facts: ClusterFacts,
  located: { readonly value: KubeObject; readonly source: Source },
  path: TreePath,
  value?: unknown,
): Evidence {
  const read = readObjects(facts).get(located.value);
  const source = read?.tree.at(path)?.source ?? read?.tree.nearest(path) ?? located.source;
  const { kind, metadata } = located.value;
  const object = {
    kind,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  };
  return evidenceAt({ ...source, object, path: showPath(path) }, value);
}

const EVIDENCE_SHOWN = 12;

/** At most twelve pieces of evidence; messages give the whole number. */
export function firstOf(evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.slice(0, EVIDENCE_SHOWN);
}

/** `a, b and c`; after the limit `a, b and 7 more`. */
export function listOf(names: readonly string[], limit = 5): string {
  const shown = names.length > limit ? names.slice(0, limit - 1) : names.slice(0, -1);
  const last =
    names.length > limit ? `${names.length - shown.length} more` : names[names.length - 1];
  return shown.length === 0 ? (last ?? '') : `${shown.join(', ')} and ${last}`;
}

/** `1 pod`, `3 pods`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

const indices = new WeakMap<ClusterFacts, ReadonlyMap<KubeObject, ReadObject>>();

/** One index per facts: thousands of findings must not scan thousands of objects each. */
function readObjects(facts: ClusterFacts): ReadonlyMap<KubeObject, ReadObject> {
  const present = indices.get(facts);
  if (present !== undefined) return present;
  const index = new Map(facts.input.objects.map((read) => [read.object, read]));
  indices.set(facts, index);
  return index;
}
