/** FM-48: the conf directory itself is removed, and the runtime's watch with it. */
import { valueOr } from '../../model/fact.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { runtimeTraits } from '../../knowledge/cni-runtimes.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { nameStep, runbookSteps } from '../runbooks.ts';

export const hazard: Hazard = {
  id: 'conf-directory-removed',
  covers: ['FM-48'],
  title: 'The CNI conf directory is removed: the runtime stops seeing it',
  severity: 'high',
  holdsFor: 'containerd 1.6 to 2.3, as measured',
  why: 'containerd watches the directory it found at its start. When that is removed or swapped for another of the same name, versions up to 2.0 go blind: whatever is written there is not loaded until containerd restarts. Later ones end themselves and rely on being restarted.',
  references: [
    'containerd/containerd#11209',
    'containerd/containerd#7196',
    'truth:W18',
    'truth:W19',
  ],
  foretell,
  signs: { occurrences: ['cni.watch-lost', 'containerd.exited'] },
};

const DIRECTORY = /^\/(etc\/cni(\/net\.d)?|var\/lib\/rancher\/k3s\/agent\/etc\/cni(\/net\.d)?)\/?$/;

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.input.runbooks.length === 0) return unjudged(MISSING.runbook);
  const effect = effectOn(facts);
  return judged(
    runbookSteps(facts).flatMap((placed) => {
      const { step } = placed;
      if (!('files' in step)) return [];
      const gone = step.files.changes.flatMap((change) =>
        'remove' in change ? [change.remove] : 'rename' in change ? [change.rename] : [],
      );
      return gone
        .filter((path) => DIRECTORY.test(path))
        .map((path) => {
          const name = nameStep(placed);
          return finding(hazard, {
            certainty: 'proven',
            message: `${name.charAt(0).toUpperCase()}${name.slice(1)} takes ${path} away on ${step.files.nodes.join(', ')}. ${effect}`,
            evidence: [evidenceAt(placed.source, path)],
            fix: {
              summary:
                'Remove or rename the files in the directory, never the directory. Where it has happened, restart the runtime (on Talos: the service cri) or the node.',
            },
          });
        });
    }),
  );
}

function effectOn(facts: ClusterFacts): string {
  const runtimes = facts.nodes.known
    ? facts.nodes.value.flatMap(({ runtime }) => valueOr(runtime, undefined) ?? [])
    : [];
  const exits = runtimes.map(
    ({ name, version }) => runtimeTraits(name, version).exitsWithDirectory,
  );
  const blind =
    'containerd watches a directory that no longer exists: a conf written to a new one of that name is not loaded, and the network that is loaded is kept or lost for good until containerd restarts.';
  const ends =
    'containerd ends itself when its conf directory goes, and the node has no runtime until it is started again.';
  if (exits.length === 0) return `${blind} From 2.1 on: ${ends}`;
  if (exits.every(Boolean)) return `${ends.charAt(0).toUpperCase()}${ends.slice(1)}`;
  return exits.some(Boolean) ? `${blind} On nodes with 2.1 or later: ${ends}` : blind;
}
