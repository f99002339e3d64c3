/** FM-02: more than one CNI conf that the runtime considers; the file name decides, not the plan. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { cniOf, confDirectories, placeOf, readConf, runtimeOf } from '../conf-directory.ts';
import type { ConfDirectory } from '../conf-directory.ts';
import { finding, judged, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'two-live-confs',
  covers: ['FM-02'],
  title: 'Two live CNI confs: the file name decides which network a new pod gets',
  severity: 'high',
  holdsFor: 'containerd 1.6 to 2.3 and CRI-O 1.33, as measured',
  why: 'The container runtime, not the kubelet, picks the CNI. containerd takes the first file in byte order of the names that end in .conf, .conflist or .json and loads that one alone: if it is broken or its plugin fails there is no fall-back. CRI-O skips files that do not parse and files whose plugin binary is missing, so the same directory can select another network there.',
  references: [
    'go-cni:opts.go@v1.1.13',
    'ocicni:pkg/ocicni/ocicni.go@v0.5.1',
    'truth:A',
    'cilium/cilium#25804',
    'linkerd/linkerd2#2219',
  ],
  foretell,
  signs: { occurrences: ['cni.old-conf-selected'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const directories = confDirectories(facts);
  if (directories.length === 0) return unjudged(MISSING.cniConfs);
  return judged(
    directories
      .filter(({ candidates }) => candidates.length > 1 && !isMeta(candidates[0] ?? ''))
      .map((directory) => describe(facts, directory)),
  );
}

/** Multus calls the network behind it by itself; a second conf is how it is meant to be. */
function isMeta(name: string): boolean {
  return /multus/.test(name);
}

function describe(facts: ClusterFacts, directory: ConfDirectory): Finding {
  const [first = '', ...others] = directory.candidates;
  const runtime = runtimeOf(facts, directory.node);
  const text = directory.texts.get(first);
  const cni = cniOf(first, text === undefined ? undefined : readConf(text));
  const owner = cni === undefined ? '' : `, so new pods get ${cni}`;
  const choice =
    runtime?.name === 'cri-o'
      ? `CRI-O takes ${first} unless it does not parse or one of its binaries is missing; then it goes on to ${others[0]} without an error`
      : `containerd takes ${first} alone${owner}, and never falls back to ${listOf(others)} when that fails`;
  return finding(hazard, {
    certainty: 'proven',
    message: `${placeOf(directory)} holds ${directory.candidates.length} confs that the runtime considers: ${listOf(directory.candidates)}. ${choice}. The moment ${first} is removed or renamed, ${others[0]} takes over for every pod made after that; pods that run keep the network they have.`,
    evidence: [evidenceAt(directory.source, directory.candidates)],
    fix: {
      summary: `Keep one live conf per node: rename the loser to a suffix no runtime reads, in the same directory and in the same step that hands the node over. Do not delete the directory: containerd stops watching it.`,
      command: `mv ${directory.directory}/${others[0]} ${directory.directory}/${others[0]}.parked`,
    },
  });
}
