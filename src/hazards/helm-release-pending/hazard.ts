/** FM-36: an interrupted Helm run holds the release. */
import type { ReadObject } from '../../model/cluster-input.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Fix } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judgedInPart, missingUnlessLive } from '../finding.ts';
import { objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'helm-release-pending',
  covers: ['FM-36'],
  title: 'A Helm release of the CNI is stuck in a pending state',
  severity: 'high',
  holdsFor: 'Helm 3 and 4',
  why: 'A Helm run that was interrupted leaves its release marked as pending. Every further upgrade is refused with "another operation is in progress" until the release is rolled back or its record is removed, whatever the state of the objects.',
  references: ['mogenius/mogenius-operator#920', 'ansible-collections/kubernetes.core#1093'],
  foretell,
  signs: { occurrences: ['helm.release-held'] },
};

const CNI_RELEASE = /cilium|flannel|canal|calico|tigera/;

function foretell(facts: ClusterFacts): Foretelling {
  const findings = releasesIn(objectsOf(facts, 'Secret', 'ConfigMap')).flatMap(
    ([{ object, source }, ...earlier]) => {
      const { name = '', status = '' } = object.metadata.labels ?? {};
      if (!status.startsWith('pending-')) return [];
      const namespace = object.metadata.namespace ?? 'default';
      return [
        finding(hazard, {
          certainty: 'proven',
          message: `The last revision of Helm release ${name} in ${namespace} is ${status}: a run of Helm ended before it finished. The next upgrade is refused with "another operation (install/upgrade/rollback) is in progress".`,
          evidence: [evidenceAt({ ...source, path: 'metadata.labels.status' }, status)],
          fix: wayBack(`helm -n ${namespace}`, name, status, earlier),
        }),
      ];
    },
  );
  return judgedInPart(
    findings,
    missingUnlessLive(facts, 'Helm releases (kubectl get secrets -A -l owner=helm -o json)'),
  );
}

/** A first installation has nothing to go back to; a revision by its number may be a failed one. */
function wayBack(helm: string, name: string, status: string, earlier: readonly ReadObject[]): Fix {
  if (status === 'pending-install') {
    return {
      summary: 'Uninstall what the first installation left, and install again.',
      command: `${helm} uninstall ${name}`,
    };
  }
  const [good] = ['deployed', 'superseded'].flatMap((wanted) =>
    earlier.filter(({ object }) => object.metadata.labels?.['status'] === wanted),
  );
  return {
    summary: 'Roll the release back to its last deployed revision before the migration.',
    command:
      good === undefined ? `${helm} history ${name}` : `${helm} rollback ${name} ${revision(good)}`,
  };
}

type Records = readonly [ReadObject, ...ReadObject[]];

/** The records of each release, newest first: only that one tells how it stands. */
function releasesIn(objects: readonly ReadObject[]): readonly Records[] {
  const releases = new Map<string, Records>();
  for (const read of objects) {
    const { labels = {}, namespace = '' } = read.object.metadata;
    if (labels['owner'] !== 'helm' || !CNI_RELEASE.test(labels['name'] ?? '')) continue;
    const key = `${namespace}/${labels['name']}`;
    const others = releases.get(key) ?? [];
    const newer = others.filter((other) => revision(other) > revision(read));
    const older = others.filter((other) => revision(other) <= revision(read));
    const [first = read, ...rest] = [...newer, read, ...older];
    releases.set(key, [first, ...rest]);
  }
  return [...releases.values()];
}

function revision({ object }: ReadObject): number {
  return Number(object.metadata.labels?.['version'] ?? 0);
}
