/** FM-01: a CiliumNodeConfig in an API version that this Cilium does not serve. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { ReadObject } from '../../model/cluster-input.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { nodeConfigApiVersion, servedNodeConfigVersions } from '../../knowledge/cilium-versions.ts';
import { chartTargets, missingVersions, versionsWhere, type ChartTarget } from '../chart.ts';
import { evidenceIn, finding, judgedInPart, MISSING } from '../finding.ts';
import { locate, objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'node-config-api-version',
  covers: ['FM-01'],
  title: 'CiliumNodeConfig in an API version that is not served',
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20: v2 since 1.16; v2alpha1 not in 1.20.0 and 1.20.1',
  why: 'A CiliumNodeConfig is what hands the CNI conf to the agent of one node. In an API version that the cluster does not serve it cannot be created, so a labelled node goes on with the old CNI although every step before looked right.',
  references: [
    'cilium:pkg/k8s/apis/cilium.io/v2/cnc_types.go@main',
    'cilium:Documentation/operations/upgrade.rst@main',
    'cilium/cilium@fa6192527947',
    'cilium/cilium@6a6359861b00',
    'cilium:pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnodeconfigs.yaml@v1.20.2',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const objects = objectsOf(facts, 'CiliumNodeConfig');
  if (objects.length === 0) {
    return judgedInPart([], facts.cluster.hasLiveObjects ? [] : [MISSING.customObjects]);
  }
  const findings = chartTargets(facts).flatMap((chart) =>
    objects.flatMap((read) => judge(facts, chart, read)),
  );
  return judgedInPart(findings, missingVersions(facts));
}

function judge(facts: ClusterFacts, chart: ChartTarget, read: ReadObject): readonly Finding[] {
  const { apiVersion, metadata } = read.object;
  const hit = versionsWhere(
    chart,
    (version) => !servedNodeConfigVersions(version).includes(apiVersion),
  );
  if (hit === undefined) return [];
  const newest = hit.versions.at(-1) ?? '';
  const served = servedNodeConfigVersions(newest);
  return [
    finding(hazard, {
      certainty: hit.certainty,
      message: `CiliumNodeConfig ${metadata.name} is written in ${apiVersion}, and Cilium ${newest} serves ${served.join(' and ')}. The API server refuses it ("no matches for kind"), and the agents of its nodes keep the settings of the ConfigMap.`,
      evidence: [evidenceIn(facts, locate(read), 'apiVersion', apiVersion)],
      fix: {
        summary: `Write it in ${nodeConfigApiVersion(newest)}.`,
        patch: `apiVersion: ${nodeConfigApiVersion(newest)}\nkind: CiliumNodeConfig\n`,
      },
    }),
  ];
}
