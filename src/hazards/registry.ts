/**
 * Every hazard, and how all of them are put to one cluster's facts. The list is written by hand and
 * compared with the folders by test/hazards.test.ts, so that nothing is half added.
 */
import { SEVERITIES } from '../model/finding.ts';
import type { CheckReport, Finding, Severity, Unjudged } from '../model/finding.ts';
import type { ClusterFacts } from '../model/facts.ts';
import type { Hazard } from '../model/hazard.ts';
import { hazard as aggregatedApiOnPodNetwork } from './aggregated-api-on-pod-network/hazard.ts';
import { hazard as apiServerAddressMissing } from './api-server-address-missing/hazard.ts';
import { hazard as barePods } from './bare-pods/hazard.ts';
import { hazard as bpfMasqueradeWithoutNodePort } from './bpf-masquerade-without-node-port/hazard.ts';
import { hazard as brokenFirstConf } from './broken-first-conf/hazard.ts';
import { hazard as budgetDeadlock } from './budget-deadlock/hazard.ts';
import { hazard as budgetsOverlapping } from './budgets-overlapping/hazard.ts';
import { hazard as calicoAddressDetection } from './calico-address-detection/hazard.ts';
import { hazard as capabilitiesNotAList } from './capabilities-not-a-list/hazard.ts';
import { hazard as cgroupMountOnTalos } from './cgroup-mount-on-talos/hazard.ts';
import { hazard as chartRefusesValues } from './chart-refuses-values/hazard.ts';
import { hazard as chartValueRemoved } from './chart-value-removed/hazard.ts';
import { hazard as clusterDnsSpread } from './cluster-dns-spread/hazard.ts';
import { hazard as confDirectoryOfDistribution } from './conf-directory-of-distribution/hazard.ts';
import { hazard as confDirectoryRemoved } from './conf-directory-removed/hazard.ts';
import { hazard as confWithoutBinary } from './conf-without-binary/hazard.ts';
import { hazard as confWithoutState } from './conf-without-state/hazard.ts';
import { hazard as configSourcesSkipNodeConfigs } from './config-sources-skip-node-configs/hazard.ts';
import { hazard as controlPlaneUnlabelled } from './control-plane-unlabelled/hazard.ts';
import { hazard as controlPlanesDisagree } from './control-planes-disagree/hazard.ts';
import { hazard as cordonedNodes } from './cordoned-nodes/hazard.ts';
import { hazard as customConfWithoutPath } from './custom-conf-without-path/hazard.ts';
import { hazard as directRoutesWithTunnel } from './direct-routes-with-tunnel/hazard.ts';
import { hazard as dormantPolicies } from './dormant-policies/hazard.ts';
import { hazard as dualStackForgotten } from './dual-stack-forgotten/hazard.ts';
import { hazard as etcdNoSpareVoter } from './etcd-no-spare-voter/hazard.ts';
import { hazard as executorOnPodNetwork } from './executor-on-pod-network/hazard.ts';
import { hazard as externalTrafficLocal } from './external-traffic-local/hazard.ts';
import { hazard as gitopsOwner } from './gitops-owner/hazard.ts';
import { hazard as guestKernelSockets } from './guest-kernel-sockets/hazard.ts';
import { hazard as helmOwnership } from './helm-ownership/hazard.ts';
import { hazard as helmReleasePending } from './helm-release-pending/hazard.ts';
import { hazard as hostDnsBehindHostRouting } from './host-dns-behind-host-routing/hazard.ts';
import { hazard as hostPort } from './host-port/hazard.ts';
import { hazard as hostPortsInUse } from './host-ports-in-use/hazard.ts';
import { hazard as hostRoutingBetweenOverlays } from './host-routing-between-overlays/hazard.ts';
import { hazard as inlineCniManifest } from './inline-cni-manifest/hazard.ts';
import { hazard as instanceManagersDeleted } from './instance-managers-deleted/hazard.ts';
import { hazard as ipBlockOnClusterRange } from './ip-block-on-cluster-range/hazard.ts';
import { hazard as ipMasqAgent } from './ip-masq-agent/hazard.ts';
import { hazard as istioAmbientProbes } from './istio-ambient-probes/hazard.ts';
import { hazard as kernelTooOld } from './kernel-too-old/hazard.ts';
import { hazard as kubePrismMismatch } from './kube-prism-mismatch/hazard.ts';
import { hazard as kubeProxyClusterCidr } from './kube-proxy-cluster-cidr/hazard.ts';
import { hazard as kubeProxyIpvs } from './kube-proxy-ipvs/hazard.ts';
import { hazard as kubeProxyLeftovers } from './kube-proxy-leftovers/hazard.ts';
import { hazard as kubeProxyRemovedWithCni } from './kube-proxy-removed-with-cni/hazard.ts';
import { hazard as kubeProxyReplacementSpelling } from './kube-proxy-replacement-spelling/hazard.ts';
import { hazard as kubeletRestartToken } from './kubelet-restart-token/hazard.ts';
import { hazard as kubespanHostRouting } from './kubespan-host-routing/hazard.ts';
import { hazard as leakedLeases } from './leaked-leases/hazard.ts';
import { hazard as localVolumes } from './local-volumes/hazard.ts';
import { hazard as longhornLastReplica } from './longhorn-last-replica/hazard.ts';
import { hazard as longhornNodeWebhook } from './longhorn-node-webhook/hazard.ts';
import { hazard as longhornNotHealthy } from './longhorn-not-healthy/hazard.ts';
import { hazard as longhornOnPodNetwork } from './longhorn-on-pod-network/hazard.ts';
import { hazard as managedPlatform } from './managed-platform/hazard.ts';
import { hazard as meshCniChained } from './mesh-cni-chained/hazard.ts';
import { hazard as mtuBudget } from './mtu-budget/hazard.ts';
import { hazard as multusBesideCni } from './multus-beside-cni/hazard.ts';
import { hazard as networkUnavailable } from './network-unavailable/hazard.ts';
import { hazard as noRoomToEvict } from './no-room-to-evict/hazard.ts';
import { hazard as nodeAutoscaler } from './node-autoscaler/hazard.ts';
import { hazard as nodeConfigApiVersion } from './node-config-api-version/hazard.ts';
import { hazard as nodeLocalDns } from './node-local-dns/hazard.ts';
import { hazard as nodePodCidrsReused } from './node-pod-cidrs-reused/hazard.ts';
import { hazard as oldCniRemovedEarly } from './old-cni-removed-early/hazard.ts';
import { hazard as onDeleteWorkloads } from './on-delete-workloads/hazard.ts';
import { hazard as osUpgradeMixedIn } from './os-upgrade-mixed-in/hazard.ts';
import { hazard as peersByIp } from './peers-by-ip/hazard.ts';
import { hazard as podCidrOverlap } from './pod-cidr-overlap/hazard.ts';
import { hazard as podSubnetsChanged } from './pod-subnets-changed/hazard.ts';
import { hazard as policyGap } from './policy-gap/hazard.ts';
import { hazard as poolChangedInPlace } from './pool-changed-in-place/hazard.ts';
import { hazard as poolOutsidePodSubnets } from './pool-outside-pod-subnets/hazard.ts';
import { hazard as rebootDaemon } from './reboot-daemon/hazard.ts';
import { hazard as registryInCluster } from './registry-in-cluster/hazard.ts';
import { hazard as replacementBeforeMigration } from './replacement-before-migration/hazard.ts';
import { hazard as serviceAccountRecreated } from './service-account-recreated/hazard.ts';
import { hazard as serviceFlagsRedundant } from './service-flags-redundant/hazard.ts';
import { hazard as sysModuleOnTalos } from './sys-module-on-talos/hazard.ts';
import { hazard as talosExtensionsDropped } from './talos-extensions-dropped/hazard.ts';
import { hazard as talosHealthBlind } from './talos-health-blind/hazard.ts';
import { hazard as talosIngressFirewall } from './talos-ingress-firewall/hazard.ts';
import { hazard as twoAddressAnnouncers } from './two-address-announcers/hazard.ts';
import { hazard as twoLiveConfs } from './two-live-confs/hazard.ts';
import { hazard as unknownTalosKey } from './unknown-talos-key/hazard.ts';
import { hazard as unmanagedPodRestart } from './unmanaged-pod-restart/hazard.ts';
import { hazard as unsupportedNodes } from './unsupported-nodes/hazard.ts';
import { hazard as upgradeK8sPrunes } from './upgrade-k8s-prunes/hazard.ts';
import { hazard as volatileConfDirectory } from './volatile-conf-directory/hazard.ts';
import { hazard as vxlanPort } from './vxlan-port/hazard.ts';
import { hazard as webhookOnPodNetwork } from './webhook-on-pod-network/hazard.ts';

export const HAZARDS: readonly Hazard[] = [
  aggregatedApiOnPodNetwork,
  apiServerAddressMissing,
  barePods,
  bpfMasqueradeWithoutNodePort,
  brokenFirstConf,
  budgetDeadlock,
  budgetsOverlapping,
  calicoAddressDetection,
  capabilitiesNotAList,
  cgroupMountOnTalos,
  chartRefusesValues,
  chartValueRemoved,
  clusterDnsSpread,
  confDirectoryOfDistribution,
  confDirectoryRemoved,
  confWithoutBinary,
  confWithoutState,
  configSourcesSkipNodeConfigs,
  controlPlaneUnlabelled,
  controlPlanesDisagree,
  cordonedNodes,
  customConfWithoutPath,
  directRoutesWithTunnel,
  dormantPolicies,
  dualStackForgotten,
  etcdNoSpareVoter,
  executorOnPodNetwork,
  externalTrafficLocal,
  gitopsOwner,
  guestKernelSockets,
  helmOwnership,
  helmReleasePending,
  hostDnsBehindHostRouting,
  hostPort,
  hostPortsInUse,
  hostRoutingBetweenOverlays,
  inlineCniManifest,
  instanceManagersDeleted,
  ipBlockOnClusterRange,
  ipMasqAgent,
  istioAmbientProbes,
  kernelTooOld,
  kubePrismMismatch,
  kubeProxyClusterCidr,
  kubeProxyIpvs,
  kubeProxyLeftovers,
  kubeProxyRemovedWithCni,
  kubeProxyReplacementSpelling,
  kubeletRestartToken,
  kubespanHostRouting,
  leakedLeases,
  localVolumes,
  longhornLastReplica,
  longhornNodeWebhook,
  longhornNotHealthy,
  longhornOnPodNetwork,
  managedPlatform,
  meshCniChained,
  mtuBudget,
  multusBesideCni,
  networkUnavailable,
  noRoomToEvict,
  nodeAutoscaler,
  nodeConfigApiVersion,
  nodeLocalDns,
  nodePodCidrsReused,
  oldCniRemovedEarly,
  onDeleteWorkloads,
  osUpgradeMixedIn,
  peersByIp,
  podCidrOverlap,
  podSubnetsChanged,
  policyGap,
  poolChangedInPlace,
  poolOutsidePodSubnets,
  rebootDaemon,
  registryInCluster,
  replacementBeforeMigration,
  serviceAccountRecreated,
  serviceFlagsRedundant,
  sysModuleOnTalos,
  talosExtensionsDropped,
  talosHealthBlind,
  talosIngressFirewall,
  twoAddressAnnouncers,
  twoLiveConfs,
  unknownTalosKey,
  unmanagedPodRestart,
  unsupportedNodes,
  upgradeK8sPrunes,
  volatileConfDirectory,
  vxlanPort,
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
    for (const finding of foretelling.findings) findings.push(finding);
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
