/**
 * Every hazard, and how all of them are put to one cluster's facts. The list is written by hand and
 * compared with the folders by test/hazards.test.ts, so that nothing is half added.
 */
import { SEVERITIES } from '../model/finding.ts';
import type { CheckReport, Finding, Severity, Unjudged } from '../model/finding.ts';
import type { ClusterFacts } from '../model/facts.ts';
import type { Hazard } from '../model/hazard.ts';
import { hazard as barePods } from './bare-pods/hazard.ts';
import { hazard as brokenFirstConf } from './broken-first-conf/hazard.ts';
import { hazard as budgetDeadlock } from './budget-deadlock/hazard.ts';
import { hazard as budgetsOverlapping } from './budgets-overlapping/hazard.ts';
import { hazard as calicoAddressDetection } from './calico-address-detection/hazard.ts';
import { hazard as clusterDnsSpread } from './cluster-dns-spread/hazard.ts';
import { hazard as confWithoutBinary } from './conf-without-binary/hazard.ts';
import { hazard as confWithoutState } from './conf-without-state/hazard.ts';
import { hazard as controlPlaneUnlabelled } from './control-plane-unlabelled/hazard.ts';
import { hazard as cordonedNodes } from './cordoned-nodes/hazard.ts';
import { hazard as dormantPolicies } from './dormant-policies/hazard.ts';
import { hazard as etcdNoSpareVoter } from './etcd-no-spare-voter/hazard.ts';
import { hazard as executorOnPodNetwork } from './executor-on-pod-network/hazard.ts';
import { hazard as externalTrafficLocal } from './external-traffic-local/hazard.ts';
import { hazard as gitopsOwner } from './gitops-owner/hazard.ts';
import { hazard as helmOwnership } from './helm-ownership/hazard.ts';
import { hazard as helmReleasePending } from './helm-release-pending/hazard.ts';
import { hazard as hostPort } from './host-port/hazard.ts';
import { hazard as ipBlockOnClusterRange } from './ip-block-on-cluster-range/hazard.ts';
import { hazard as ipMasqAgent } from './ip-masq-agent/hazard.ts';
import { hazard as istioAmbientProbes } from './istio-ambient-probes/hazard.ts';
import { hazard as kubeProxyClusterCidr } from './kube-proxy-cluster-cidr/hazard.ts';
import { hazard as kubeProxyIpvs } from './kube-proxy-ipvs/hazard.ts';
import { hazard as kubeProxyLeftovers } from './kube-proxy-leftovers/hazard.ts';
import { hazard as kubespanHostRouting } from './kubespan-host-routing/hazard.ts';
import { hazard as longhornLastReplica } from './longhorn-last-replica/hazard.ts';
import { hazard as longhornNodeWebhook } from './longhorn-node-webhook/hazard.ts';
import { hazard as longhornNotHealthy } from './longhorn-not-healthy/hazard.ts';
import { hazard as longhornOnPodNetwork } from './longhorn-on-pod-network/hazard.ts';
import { hazard as managedPlatform } from './managed-platform/hazard.ts';
import { hazard as meshCniChained } from './mesh-cni-chained/hazard.ts';
import { hazard as mtuBudget } from './mtu-budget/hazard.ts';
import { hazard as multusBesideCni } from './multus-beside-cni/hazard.ts';
import { hazard as nodeAutoscaler } from './node-autoscaler/hazard.ts';
import { hazard as nodePodCidrsReused } from './node-pod-cidrs-reused/hazard.ts';
import { hazard as onDeleteWorkloads } from './on-delete-workloads/hazard.ts';
import { hazard as peersByIp } from './peers-by-ip/hazard.ts';
import { hazard as podCidrOverlap } from './pod-cidr-overlap/hazard.ts';
import { hazard as policyGap } from './policy-gap/hazard.ts';
import { hazard as rebootDaemon } from './reboot-daemon/hazard.ts';
import { hazard as replacementBeforeMigration } from './replacement-before-migration/hazard.ts';
import { hazard as talosExtensionsDropped } from './talos-extensions-dropped/hazard.ts';
import { hazard as talosIngressFirewall } from './talos-ingress-firewall/hazard.ts';
import { hazard as twoAddressAnnouncers } from './two-address-announcers/hazard.ts';
import { hazard as twoLiveConfs } from './two-live-confs/hazard.ts';
import { hazard as unmanagedPodRestart } from './unmanaged-pod-restart/hazard.ts';
import { hazard as webhookOnPodNetwork } from './webhook-on-pod-network/hazard.ts';

export const HAZARDS: readonly Hazard[] = [
  barePods,
  brokenFirstConf,
  budgetDeadlock,
  budgetsOverlapping,
  calicoAddressDetection,
  clusterDnsSpread,
  confWithoutBinary,
  confWithoutState,
  controlPlaneUnlabelled,
  cordonedNodes,
  dormantPolicies,
  etcdNoSpareVoter,
  executorOnPodNetwork,
  externalTrafficLocal,
  gitopsOwner,
  helmOwnership,
  helmReleasePending,
  hostPort,
  ipBlockOnClusterRange,
  ipMasqAgent,
  istioAmbientProbes,
  kubeProxyClusterCidr,
  kubeProxyIpvs,
  kubeProxyLeftovers,
  kubespanHostRouting,
  longhornLastReplica,
  longhornNodeWebhook,
  longhornNotHealthy,
  longhornOnPodNetwork,
  managedPlatform,
  meshCniChained,
  mtuBudget,
  multusBesideCni,
  nodeAutoscaler,
  nodePodCidrsReused,
  onDeleteWorkloads,
  peersByIp,
  podCidrOverlap,
  policyGap,
  rebootDaemon,
  replacementBeforeMigration,
  talosExtensionsDropped,
  talosIngressFirewall,
  twoAddressAnnouncers,
  twoLiveConfs,
  unmanagedPodRestart,
  webhookOnPodNetwork,
];

/** The hazards put to the facts. Findings in stable order: severity, file, line, column, hazard. */
export function evaluateHazards(
  facts: ClusterFacts,
  hazards: readonly Hazard[] = HAZARDS,
): CheckReport {
  const findings: Finding[] = [];
  const unknown: Unjudged[] = [];
  for (const hazard of hazards) {
    const foretelling = hazard.foretell(facts);
    findings.push(...foretelling.findings);
    if (foretelling.missing.length > 0) {
      unknown.push({ hazard: hazard.id, missing: foretelling.missing });
    }
  }
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'CheckReport',
    findings: findings.toSorted(byGravityAndPlace),
    unknown: unknown.toSorted((left, right) => compareText(left.hazard, right.hazard)),
    summary: {
      ...countBySeverity(findings),
      unknown: unknown.length,
      hazardsEvaluated: hazards.length,
    },
  };
}

function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

function byGravityAndPlace(left: Finding, right: Finding): number {
  const [first, second] = [left.evidence[0], right.evidence[0]];
  return (
    SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity) ||
    compareText(first?.file ?? '', second?.file ?? '') ||
    (first?.line ?? 0) - (second?.line ?? 0) ||
    (first?.column ?? 0) - (second?.column ?? 0) ||
    compareText(left.hazard, right.hazard) ||
    compareText(first?.source ?? '', second?.source ?? '') ||
    compareText(left.message, right.message)
  );
}

/** Byte order of the text, whatever the locale. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
