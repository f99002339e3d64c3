/** FM-02: the first conf of a directory does not parse; containerd then has no network at all. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { confDirectories, placeOf, readConf, runtimeOf } from '../conf-directory.ts';
import type { ConfDirectory } from '../conf-directory.ts';
import { finding, judgedInPart, MISSING } from '../finding.ts';

export const hazard: Hazard = {
  id: 'broken-first-conf',
  covers: ['FM-02'],
  title: 'The first CNI conf does not parse: the node has no network',
  severity: 'critical',
  holdsFor: 'containerd 1.6 to 2.3 (CRI-O skips the file), as measured',
  why: 'containerd loads the first candidate alone. If it cannot be parsed the whole load fails: no other file is tried, the network that was loaded before is dropped, the node turns NotReady, and every pod ADD and DEL fails with "cni plugin not initialized".',
  references: ['go-cni:opts.go@v1.1.13', 'cni:libcni/conf.go@v1.3.0', 'truth:B', 'truth:D'],
  foretell,
  signs: { occurrences: ['cni.load-failed'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const directories = confDirectories(facts);
  const unread = directories.filter(({ candidates, texts }) => !texts.has(candidates[0] ?? ''));
  const missing = unread.map(
    (directory) => `text of ${directory.candidates[0] ?? 'the confs'} in ${placeOf(directory)}`,
  );
  return judgedInPart(
    directories.flatMap((directory) => describe(facts, directory)),
    directories.length === 0 ? [MISSING.cniConfs] : missing,
  );
}

function describe(facts: ClusterFacts, directory: ConfDirectory): readonly Finding[] {
  const first = directory.texts.get(directory.candidates[0] ?? '');
  if (first === undefined) return [];
  const runtime = runtimeOf(facts, directory.node);
  const reading = readConf(first, runtime);
  if (reading.ok) return [];
  const crio = runtime?.name === 'cri-o';
  const next = directory.candidates[1];
  const effect = crio
    ? next === undefined
      ? 'CRI-O skips it and finds no other file, so the node has no network.'
      : `CRI-O skips it and takes ${next} without an error, so pods silently get that network.`
    : 'containerd fails the whole load: it drops the network that was loaded before and tries no other file, so the node turns NotReady and no pod can be made or torn down.';
  return [
    finding(hazard, {
      certainty: 'proven',
      severity: crio && next !== undefined ? 'high' : 'critical',
      message: `${first.name} comes first in ${placeOf(directory)}, and does not parse: ${reading.error}. ${effect}`,
      evidence: [evidenceAt(first.source)],
      fix: {
        summary: `Repair ${first.name}, or rename it to a suffix no runtime reads. The runtime notices a write or a rename inside the directory; a file moved in from another directory it does not notice.`,
        command: `mv ${directory.directory}/${first.name} ${directory.directory}/${first.name}.broken`,
      },
    }),
  ];
}
