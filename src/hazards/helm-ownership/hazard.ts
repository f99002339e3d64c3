/** FM-36: objects of the chart are there already and are not Helm's. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Located } from '../../model/config-tree.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import {
  evidenceIn,
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { locate, nameOf, objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'helm-ownership',
  covers: ['FM-36'],
  title: "Cilium's objects are there and do not belong to a Helm release",
  severity: 'high',
  holdsFor: 'Helm 3 (take-ownership from 3.17) and every chart version',
  why: 'Helm installs over an existing object only when its annotations name the same release. Objects that cilium-cli, a manifest or another release made are refused with "invalid ownership metadata", in the middle of the step that installs them.',
  references: ['ansible-collections/kubernetes.core#1093', 'helm/helm-www#2207'],
  foretell,
  signs: { occurrences: [] },
};

const NAMES = /^cilium(-config|-operator|-envoy|-envoy-config|-ca|-secrets)?$/;
const NAME_KEY = 'meta.helm.sh/release-name';

function foretell(facts: ClusterFacts): Foretelling {
  const objects: readonly Located<KubeObject>[] = [
    ...facts.workloads.daemonSets,
    ...facts.workloads.deployments,
    ...objectsOf(facts, 'ConfigMap', 'ServiceAccount', 'ClusterRole').map(locate),
  ];
  const foreign = objects.filter(
    ({ value }) =>
      NAMES.test(value.metadata.name) && value.metadata.annotations?.[NAME_KEY] === undefined,
  );
  if (foreign.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  const names = foreign.map(({ value }) => nameOf(value));
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(names)} ${foreign.length === 1 ? 'exists' : 'exist'} without Helm's ownership annotations. helm install stops at the first of them with "invalid ownership metadata", after it may have created others.`,
      evidence: firstOf(
        foreign.map((object) => evidenceIn(facts, object, ['metadata', 'annotations'])),
      ),
      fix: {
        summary:
          'Let Helm take them over (helm 3.17 and later), or annotate and label them for the release first.',
        command: 'helm upgrade --install cilium cilium/cilium -n kube-system --take-ownership',
      },
    }),
  ]);
}
