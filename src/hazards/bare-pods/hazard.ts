/** FM-52: pods that nobody makes anew stay on the old network, or are gone after a drain. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { controllerOf, objectKey } from '../../model/kubernetes.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import {
  count,
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';

export const hazard: Hazard = {
  id: 'bare-pods',
  covers: ['FM-52'],
  title: 'Pods without a controller do not come back after a drain',
  severity: 'medium',
  holdsFor: 'every Kubernetes version',
  why: 'A pod changes its network only by being made anew. A pod that no controller owns is not: a drain refuses it, or with --force deletes it for good; left alone it keeps the old network and loses its connections when that is removed.',
  references: [
    'kubernetes:cmd/kubectl drain --force',
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const bare = facts.workloads.pods.filter(({ value }) => isBare(value));
  if (bare.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.pods));
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${count(bare.length, 'pod')} (${listOf(bare.map(({ value }) => objectKey(value)))}) ${bare.length === 1 ? 'has' : 'have'} no controller. A drain without --force stops at ${bare.length === 1 ? 'it' : 'them'}; with --force ${bare.length === 1 ? 'it is' : 'they are'} deleted and nothing makes ${bare.length === 1 ? 'it' : 'them'} again; untouched, ${bare.length === 1 ? 'it stays' : 'they stay'} on the old network.`,
      evidence: firstOf(
        bare.map(({ source }) => evidenceAt({ ...source, path: 'metadata.ownerReferences' })),
      ),
      fix: {
        summary:
          'Put them under a Deployment or Job, delete those nobody needs, or restart their sandboxes in place.',
      },
    }),
  ]);
}

/** Static pods and pods on the host network do not matter here, nor do finished ones. */
function isBare({ metadata, spec, status }: PodObject): boolean {
  return (
    controllerOf({ apiVersion: 'v1', kind: 'Pod', metadata }) === undefined &&
    metadata.annotations?.['kubernetes.io/config.mirror'] === undefined &&
    spec.hostNetwork !== true &&
    status.phase !== 'Succeeded' &&
    status.phase !== 'Failed'
  );
}
