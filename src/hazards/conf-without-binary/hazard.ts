/** FM-51, FM-02, FM-81: the conf that is chosen calls a plugin whose binary is not there. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { binariesOf, confDirectories, placeOf, readConf, runtimeOf } from '../conf-directory.ts';
import type { ConfDirectory } from '../conf-directory.ts';
import { finding, judgedInPart, listOf } from '../finding.ts';

const MISSING_BINARIES = 'plugin binaries of a node (talosctl ls /opt/cni/bin)';

export const hazard: Hazard = {
  id: 'conf-without-binary',
  covers: ['FM-51', 'FM-02', 'FM-81'],
  title: 'The chosen CNI conf calls a plugin that is not installed',
  severity: 'critical',
  holdsFor: 'containerd 1.6 to 2.3 and CRI-O 1.33, as measured',
  why: 'containerd does not look for the plugin when it loads a conf: the node stays Ready and every pod fails at its sandbox with "failed to find plugin". Tearing down calls the conf that is loaded now, so pods of the old network cannot be deleted either and stay Terminating until the binary is back.',
  references: [
    'cni:pkg/invoke/find.go@v1.3.0',
    'truth:A04',
    'truth:L01',
    'containerd/containerd#4012',
    'kubernetes/kubernetes#56902',
  ],
  foretell,
  signs: { occurrences: ['cni.binary-missing'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const findings: Finding[] = [];
  const missing: string[] = [];
  for (const directory of confDirectories(facts)) {
    const binaries = binariesOn(facts, directory.node);
    const text = directory.texts.get(directory.candidates[0] ?? '');
    if (binaries === undefined) missing.push(MISSING_BINARIES);
    else if (text === undefined) missing.push(`text of the first conf in ${placeOf(directory)}`);
    else findings.push(...describe(facts, directory, binaries));
  }
  if (findings.length === 0 && missing.length === 0 && facts.listings.length === 0) {
    missing.push(MISSING_BINARIES);
  }
  return judgedInPart(findings, missing);
}

function describe(
  facts: ClusterFacts,
  directory: ConfDirectory,
  binaries: ReadonlySet<string>,
): readonly Finding[] {
  const conf = directory.texts.get(directory.candidates[0] ?? '');
  const runtime = runtimeOf(facts, directory.node);
  const reading = conf === undefined ? undefined : readConf(conf, runtime);
  if (conf === undefined || reading?.ok !== true) return [];
  const absent = binariesOf(reading.plugins).filter((binary) => !binaries.has(binary));
  if (absent.length === 0) return [];
  const next = directory.candidates[1];
  const effect =
    runtime?.name === 'cri-o'
      ? `CRI-O checks the binaries when it loads and skips the file, so ${next === undefined ? 'the node has no network' : `${next} is taken instead, without an error`}.`
      : 'containerd loads the conf all the same: the node stays Ready, every new pod stays in ContainerCreating with "failed to find plugin", and pods that are deleted stay Terminating.';
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${conf.name} comes first in ${placeOf(directory)} and calls ${listOf(absent)}, which ${absent.length === 1 ? 'is' : 'are'} not among the plugin binaries of the node. ${effect}`,
      evidence: [evidenceAt(conf.source, absent)],
      fix: {
        summary: `Put ${listOf(absent)} back before anything is deleted or made on the node (an agent's init container does it at its start), or rename ${conf.name} so that the runtime takes another conf.`,
      },
    }),
  ];
}

/** Names in the node's plugin directories; undefined where none was listed. */
function binariesOn(facts: ClusterFacts, node: string | undefined): Set<string> | undefined {
  const listings = facts.listings.filter(
    (listing) =>
      /\/(cni\/bin|data\/cni|current\/bin)\/?$/.test(listing.directory) &&
      (listing.node.known ? listing.node.value : undefined) === node,
  );
  if (listings.length === 0) return undefined;
  return new Set(listings.flatMap(({ entries }) => entries.map(({ name }) => name)));
}
