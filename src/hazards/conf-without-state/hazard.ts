/** FM-03: Flannel's conf survives on disk while nothing will write its run-time state again. */
import { inRange } from '../../base/versions.ts';
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts, NodeFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import { cniOf, confDirectories, nodeNamed, placeOf, readConf } from '../conf-directory.ts';
import type { ConfDirectory } from '../conf-directory.ts';
import { evidenceIn, finding, judged, judgedInPart, MISSING, unjudged } from '../finding.ts';
import { nameOf, runsImage } from '../objects.ts';

export const hazard: Hazard = {
  id: 'conf-without-state',
  covers: ['FM-03'],
  title: "Flannel's conf is chosen but nothing will write its subnet.env again",
  severity: 'critical',
  holdsFor: 'flannel CNI plugin 1.2 to 1.9, every distribution whose /run is a tmpfs',
  why: 'The flannel plugin needs /run/flannel/subnet.env at every ADD. /run is emptied at each boot, and only flanneld writes the file again, at its start. A conf that stays on disk after the DaemonSet is gone (or does not run on the node) therefore fails every pod after the next reboot.',
  references: [
    'flannel:main.go@v0.28.9',
    'flannel-cni:flannel.go@v1.7.1-flannel2',
    'flannel-io/flannel#2063',
    'truth:A21',
    'talos:pkg/machinery/constants/constants.go@v1.10.5',
  ],
  foretell,
  signs: { occurrences: ['flannel.not-running'] },
};

const FLANNEL_IMAGES = [
  'flannel',
  'mirrored-flannelcni-flannel',
  'mirrored-flannel-io-flannel',
  'hardened-flannel',
];

function foretell(facts: ClusterFacts): Foretelling {
  const chosen = confDirectories(facts).filter(isFlannelChosen);
  if (confDirectories(facts).length === 0) return unjudged(MISSING.cniConfs);
  if (!facts.cluster.hasLiveObjects) return unjudged(MISSING.workloads);
  const { distribution } = facts.cluster;
  // K3s runs flanneld inside its own process: no DaemonSet to look for.
  if (distribution.known && distribution.value === 'k3s') return judged();
  const findings: Finding[] = [];
  const missing: string[] = [];
  for (const directory of chosen) {
    const node = nodeNamed(facts, directory.node);
    if (node === undefined) missing.push(`the node of ${placeOf(directory)}`);
    else if (!losesConfsAtBoot(node)) findings.push(...describe(facts, directory, node));
  }
  return judgedInPart(findings, missing);
}

/** Talos 1.14 keeps /etc/cni on a tmpfs: the conf goes with the state. */
function losesConfsAtBoot({ talosVersion }: NodeFacts): boolean {
  return talosVersion.known && inRange(talosVersion.value, '>=1.14.0-0');
}

function isFlannelChosen({ candidates, texts }: ConfDirectory): boolean {
  const [first = ''] = candidates;
  const text = texts.get(first);
  const cni = cniOf(first, text === undefined ? undefined : readConf(text));
  return cni === 'flannel' || cni === 'canal';
}

function describe(
  facts: ClusterFacts,
  directory: ConfDirectory,
  node: NodeFacts,
): readonly Finding[] {
  const daemonSets = facts.workloads.daemonSets.filter(({ value }) =>
    runsImage(value.spec.template.spec, ...FLANNEL_IMAGES),
  );
  const [first = ''] = directory.candidates;
  const reason = whyNotRunning(facts, daemonSets, node);
  if (reason === undefined) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${first} is the conf that the runtime of node ${node.name} takes, and ${reason.text}. /run/flannel/subnet.env is on a tmpfs: the next boot removes it, nothing writes it again, and from then on every new pod of the node fails with "open /run/flannel/subnet.env: no such file or directory". Deleting pods still works.`,
      evidence: [
        evidenceAt(directory.texts.get(first)?.source ?? directory.source, first),
        ...reason.evidence,
      ],
      fix: {
        summary: `Before node ${node.name} boots, hand it to the new network and rename ${first} in place; or bring the Flannel DaemonSet back onto the node.`,
        command: `mv ${directory.directory}/${first} ${directory.directory}/${first}.parked`,
      },
    }),
  ];
}

function whyNotRunning(
  facts: ClusterFacts,
  daemonSets: readonly Located<DaemonSetObject>[],
  node: NodeFacts,
): { readonly text: string; readonly evidence: readonly Evidence[] } | undefined {
  if (daemonSets.length === 0) return { text: 'no Flannel DaemonSet is left', evidence: [] };
  const kept = daemonSets.find(({ value }) => !runsOn(value, node));
  if (daemonSets.some(({ value }) => runsOn(value, node)) || kept === undefined) return undefined;
  const path = 'spec.template.spec.nodeSelector';
  return {
    text: `${nameOf(kept.value)} does not run there, since its node selector does not match the node`,
    evidence: [evidenceIn(facts, kept, path, kept.value.spec.template.spec.nodeSelector)],
  };
}

function runsOn(daemonSet: DaemonSetObject, node: NodeFacts): boolean {
  const labels = node.object.metadata.labels ?? {};
  const selector = daemonSet.spec.template.spec.nodeSelector ?? {};
  return Object.entries(selector).every(
    ([key, value]) => labels[key] === value || (key === 'kubernetes.io/os' && value === 'linux'),
  );
}
