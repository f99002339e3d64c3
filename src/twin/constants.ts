/**
 * Times, limits and periods of the simulated software, each with its unit and source; a scenario may
 * override any. The tags are those of knowledge/failure-domains.md: KK kubernetes 1.36.2, CG
 * client-go, TAL talos, LHM longhorn-manager; `truth` is shared/truth. `assumed` marks what no source
 * gives: durations of a machine or a network, chosen in the usual range.
 */
export interface Constant {
  readonly value: number;
  readonly unit: 'ms' | 's' | 'count' | 'ratio';
  readonly source: string;
}

export const CONSTANTS = {
  apiCallMs: { value: 4, unit: 'ms', source: 'assumed: one request to a healthy API server' },
  controllerSyncMs: { value: 10, unit: 'ms', source: 'assumed: a work queue item of a controller' },
  schedulerBindMs: { value: 15, unit: 'ms', source: 'assumed: one scheduling cycle and bind' },
  sandboxCreateMs: { value: 450, unit: 'ms', source: 'assumed: RunPodSandbox without plugin time' },
  sandboxStopMs: { value: 250, unit: 'ms', source: 'assumed: StopPodSandbox without plugin time' },
  containerStartMs: {
    value: 350,
    unit: 'ms',
    source: 'assumed: create and start of one container, image present',
  },
  containerStopMs: {
    value: 900,
    unit: 'ms',
    source: 'assumed: a well-behaved process ends on SIGTERM',
  },
  imagePullMs: {
    value: 9_000,
    unit: 'ms',
    source: 'assumed: a 150 MB image that the node does not have',
  },
  appReadyMs: {
    value: 3_000,
    unit: 'ms',
    source: 'assumed: an ordinary container until its readiness probe passes',
  },
  kubeletStatusPollMs: { value: 5_000, unit: 'ms', source: 'KK kubelet.go: CRI Status every 5 s' },
  sandboxRetryMs: {
    value: 10_000,
    unit: 'ms',
    source: 'KK pod_workers.go: 10 s × 1…1.5; truth kubelet: 11–15 s',
  },
  networkNotReadyRetryMs: {
    value: 1_000,
    unit: 'ms',
    source: 'KK: 1–1.5 s; truth kubelet: every ~2 s',
  },
  crashLoopFirstMs: {
    value: 10_000,
    unit: 'ms',
    source: 'KK: container restart back-off starts at 10 s',
  },
  crashLoopMaxMs: {
    value: 300_000,
    unit: 'ms',
    source: 'KK: container restart back-off ends at 300 s',
  },
  nodeMonitorGraceMs: {
    value: 50_000,
    unit: 'ms',
    source: 'KK node-monitor-grace-period, ≥ 1.31.14',
  },
  notReadyTolerationMs: {
    value: 300_000,
    unit: 'ms',
    source: 'KK DefaultTolerationSeconds admission',
  },
  tokenRequestedSeconds: { value: 3_607, unit: 's', source: 'KK serviceaccount admission' },
  tokenRefreshSeconds: { value: 2_886, unit: 's', source: 'KK token_manager.go: 80 % of 3607 s' },
  tokenRereadMs: { value: 50_000, unit: 'ms', source: 'CG transport/token_source.go' },
  evictionRetryMs: {
    value: 5_000,
    unit: 'ms',
    source: 'KK kubectl drain: 429 is retried every 5 s',
  },
  rebootMs: {
    value: 75_000,
    unit: 'ms',
    source: 'assumed: kexec reboot of a Talos machine until kubelet starts',
  },
  upgradeInstallMs: { value: 45_000, unit: 'ms', source: 'assumed: Talos installer run' },
  ciliumAgentReadyMs: {
    value: 12_000,
    unit: 'ms',
    source: 'assumed: agent start until API socket serves',
  },
  flanneldReadyMs: {
    value: 1_500,
    unit: 'ms',
    source: 'assumed: API access to subnet.env written',
  },
  ciliumDeleteQueueMs: {
    value: 20_000,
    unit: 'ms',
    source: 'truth R01: 50.3 s of ADD and clean-up DEL without an agent',
  },
  confReloadMs: { value: 2, unit: 'ms', source: 'truth T01, T02: median 2 ms, worst 7 ms' },
  crioReadyPollMs: {
    value: 500,
    unit: 'ms',
    source: 'cri-o:internal/config/cnimgr/cnimgr.go@v1.33.0 pollUntilReady',
  },
  runtimeRestartMs: {
    value: 5_000,
    unit: 'ms',
    source: 'containerd.service RestartSec=5; Talos restarts its cri service after 5 s',
  },
  ciliumClientTimeoutMs: {
    value: 30_000,
    unit: 'ms',
    source: 'cilium pkg/client: 30 s; truth R03',
  },
  unmanagedPodPeriodMs: {
    value: 15_000,
    unit: 'ms',
    source: 'cilium operator/unmanagedpods: 15 s',
  },
  unmanagedPodMinimumAgeMs: { value: 30_000, unit: 'ms', source: 'cilium operator: 30 s' },
  unmanagedPodRestartGapMs: {
    value: 300_000,
    unit: 'ms',
    source: 'cilium operator: 5 min per pod name',
  },
  csiAttachTimeoutMs: { value: 110_000, unit: 'ms', source: 'LHM: attacher --timeout=1m50s' },
  attachRetryFirstMs: { value: 1_000, unit: 'ms', source: 'external-attacher back-off start' },
  attachRetryMaxMs: { value: 300_000, unit: 'ms', source: 'external-attacher back-off end' },
  probePeriodMs: { value: 100, unit: 'ms', source: 'issue 4: ≥ 10 Hz per path class per node' },
  kubeletTickMs: {
    value: 1_000,
    unit: 'ms',
    source: 'KK kubelet.go: due pods are looked for every second; truth K02',
  },
  rke2StartMs: {
    value: 5_000,
    unit: 'ms',
    source: 'assumed: from the start of RKE2 until its kubelet runs and it asks the API server',
  },
  rke2DeployMs: {
    value: 15_000,
    unit: 'ms',
    source: 'k3s:pkg/deploy/controller.go@0301210: manifests are looked at every 15 s',
  },
  helmJobMs: {
    value: 20_000,
    unit: 'ms',
    source: 'assumed: a pod with Helm that installs or uninstalls a chart',
  },
  k3sStartMs: {
    value: 8_000,
    unit: 'ms',
    source: 'assumed: from the start of K3s until its kubelet and, on a server, its API server run',
  },
  k3sRetryMs: {
    value: 2_000,
    unit: 'ms',
    source: 'k3s:pkg/agent/run.go@0097157: an agent asks for its configuration every 2 s',
  },
  kubeletRestartMs: {
    value: 2_500,
    unit: 'ms',
    source: 'assumed: kubelet process ends and starts',
  },
  containerRelistMs: {
    value: 1_000,
    unit: 'ms',
    source: 'KK pleg: relist every second; truth K08',
  },
  nodeStatusPeriodMs: { value: 10_000, unit: 'ms', source: 'KK nodeStatusUpdateFrequency' },
  nodeLeaseRenewMs: { value: 10_000, unit: 'ms', source: 'KK lease of 40 s, renewed every 10 s' },
  healthProbePeriodMs: {
    value: 10_000,
    unit: 'ms',
    source: 'KK core/v1 defaults: periodSeconds 10',
  },
  healthProbeFailureCount: {
    value: 3,
    unit: 'count',
    source: 'KK core/v1 defaults: failureThreshold 3',
  },
  probePathCheckMs: {
    value: 1_000,
    unit: 'ms',
    source: 'assumed: path changes of a node within a second are one',
  },
  crashLoopResetMs: {
    value: 600_000,
    unit: 'ms',
    source: 'KK: back-off is forgotten after twice its end',
  },
  nodeShutdownMs: {
    value: 20_000,
    unit: 'ms',
    source: 'TAL constants.go: KubeletShutdownGracePeriod 30 s, less the 10 s of critical pods',
  },
  nodeShutdownCriticalMs: {
    value: 10_000,
    unit: 'ms',
    source: 'TAL constants.go: KubeletShutdownGracePeriodCriticalPods 10 s',
  },
  failedDaemonPodFirstMs: {
    value: 1_000,
    unit: 'ms',
    source: 'KK daemon_controller.go: failedPodsBackoff starts at 1 s, per set and node',
  },
  failedDaemonPodMaxMs: {
    value: 900_000,
    unit: 'ms',
    source: 'KK app/apps.go: failedPodsBackoff ends at 15 min',
  },
  volumeWaitMs: { value: 123_000, unit: 'ms', source: 'KK volume_manager.go: mount wait 2 m 3 s' },
  mountRetryFirstMs: {
    value: 500,
    unit: 'ms',
    source: 'KK goroutinemap/exponentialbackoff: a volume operation is tried again after 500 ms',
  },
  mountRetryMaxMs: {
    value: 122_000,
    unit: 'ms',
    source: 'KK goroutinemap/exponentialbackoff: doubling up to 2 m 2 s',
  },
  attachWaitMs: {
    value: 120_000,
    unit: 'ms',
    source: 'KK csi_attacher.go: waits 2 min for the attacher',
  },
  forceDetachMs: {
    value: 360_000,
    unit: 'ms',
    source: 'KK attachdetach: ReconcilerMaxWaitForUnmountDuration 6 min',
  },
  tokenExtendedSeconds: {
    value: 31_536_000,
    unit: 's',
    source: 'KK serviceaccount: extended to a year when 3607 s were asked',
  },
  eventAggregateCount: {
    value: 10,
    unit: 'count',
    source: 'CG events_cache.go: aggregates from the 10th similar',
  },
  eventAggregateWindowMs: { value: 600_000, unit: 'ms', source: 'CG events_cache.go: 600 s' },
  eventSpamBurst: {
    value: 25,
    unit: 'count',
    source: 'CG events_cache.go: 25 per source and object',
  },
  eventSpamRefillMs: { value: 300_000, unit: 'ms', source: 'CG events_cache.go: 1 per 300 s' },
  eventTtlMs: { value: 3_600_000, unit: 'ms', source: 'KK --event-ttl 1 h' },
  nodeEvictionGapMs: { value: 10_000, unit: 'ms', source: 'KK node-eviction-rate 0.1/s' },
  nodeEvictionSlowGapMs: {
    value: 100_000,
    unit: 'ms',
    source: 'KK secondary-node-eviction-rate 0.01/s',
  },
  unhealthyZoneRatio: {
    value: 0.55,
    unit: 'ratio',
    source: 'KK unhealthy-zone-threshold, with at least 3 nodes',
  },
  largeClusterNodeCount: { value: 50, unit: 'count', source: 'KK large-cluster-size-threshold' },
  webhookTimeoutSeconds: { value: 10, unit: 's', source: 'KK admissionregistration/v1 default' },
  controllerRetryFirstMs: { value: 5, unit: 'ms', source: 'CG workqueue: 5 ms, doubling' },
  controllerRetryMaxMs: { value: 1_000_000, unit: 'ms', source: 'CG workqueue: ends at 1000 s' },
  schedulerRetryMs: {
    value: 1_000,
    unit: 'ms',
    source: 'KK scheduler: back-off of an unschedulable pod starts at 1 s',
  },
  podOfLostNodeMs: {
    value: 60_000,
    unit: 'ms',
    source: 'KK podgc gc_controller.go: quarantine of 40 s, looked at every 20 s',
  },
  tokenRefreshJitterMs: {
    value: 10_000,
    unit: 'ms',
    source: 'KK token_manager.go: a refresh is due up to 10 s earlier',
  },
  tokenSyncLagMs: {
    value: 90_000,
    unit: 'ms',
    source: "KK: a due token is asked for at the pod's next sync, 60 s × 1…1.5",
  },
  clientRetryMs: {
    value: 5_000,
    unit: 'ms',
    source: 'assumed: client-go and its kin try again about so often',
  },
  leaderLeaseMs: { value: 15_000, unit: 'ms', source: 'CG leaderelection: LeaseDuration 15 s' },
  leaderRetryMs: { value: 2_000, unit: 'ms', source: 'CG leaderelection: RetryPeriod 2 s' },
  failedAddCleanUpMs: {
    value: 60,
    unit: 'ms',
    source: 'assumed: clean-up DELs and removal of the namespace after a failed ADD',
  },
  fileWatchMs: {
    value: 2,
    unit: 'ms',
    source: 'truth T01: inotify events are seen within 2 ms (median)',
  },
  ciliumClientLookMs: {
    value: 1_000,
    unit: 'ms',
    source: 'cilium pkg/client: cilium-cni looks for the agent every second',
  },
  ciliumApiRetryMs: {
    value: 5_000,
    unit: 'ms',
    source: 'cilium pkg/k8s/client/cell.go@v1.16.5: every 5 s',
  },
  ciliumApiPatienceMs: {
    value: 60_000,
    unit: 'ms',
    source: 'cilium pkg/k8s/client/cell.go@v1.16.5: for a minute',
  },
  ciliumConfigApiTimeoutMs: {
    value: 30_000,
    unit: 'ms',
    source: 'CG net dial time-out: build-config gives up after 30 s',
  },
  ciliumLivenessPeriodMs: {
    value: 30_000,
    unit: 'ms',
    source: "cilium chart: the agent's liveness probe, period 30 s",
  },
  longhornReplicaTimeoutMs: {
    value: 8_000,
    unit: 'ms',
    source: 'LHM: engine-replica time-out 8 s',
  },
  longhornRebuildMs: {
    value: 30_000,
    unit: 'ms',
    source: 'assumed: delta rebuild of a replica whose data is still there',
  },
  longhornManagerNoticeMs: {
    value: 3_000,
    unit: 'ms',
    source: 'assumed: a manager notices a lost instance manager and makes it again',
  },
  longhornAttachMs: {
    value: 2_500,
    unit: 'ms',
    source: 'assumed: engine start and device on a healthy node',
  },
  longhornVolumeWaitMs: {
    value: 90_000,
    unit: 'ms',
    source: 'LHM csi/controller_server.go: waits 90 s for the volume to come up',
  },
  argoSelfHealMs: { value: 5_000, unit: 'ms', source: 'ARGO: self-heal time-out 5 s' },
  fluxIntervalMs: {
    value: 600_000,
    unit: 'ms',
    source: 'flux bootstrap: interval 10 min of the kustomization it makes',
  },
  jobMs: { value: 60_000, unit: 'ms', source: 'assumed: what a Job of unknown length takes' },
  machineStopMs: {
    value: 60_000,
    unit: 'ms',
    source: 'assumed: a machine goes down although pods still stop',
  },
  talosDrainMs: {
    value: 300_000,
    unit: 'ms',
    source: 'TAL: drain before an upgrade, at most 5 min',
  },
  kubeRouterSyncMs: { value: 300_000, unit: 'ms', source: 'kube-router --iptables-sync-period' },
  felixRefreshMs: { value: 180_000, unit: 'ms', source: 'calico felix iptablesRefreshInterval' },
  flannelResyncMs: { value: 5_000, unit: 'ms', source: 'flanneld --iptables-resync: 5 s' },
  configTryMs: { value: 60_000, unit: 'ms', source: 'TAL constants.ConfigTryTimeout: 1 min' },
} as const satisfies Record<string, Constant>;

export type ConstantName = keyof typeof CONSTANTS;
export type Constants = Readonly<Record<ConstantName, number>>;

export function constantsWith(overrides: Partial<Constants> = {}): Constants {
  const values = Object.fromEntries(
    Object.entries(CONSTANTS).map(([name, constant]) => [name, constant.value]),
  ) as Record<ConstantName, number>;
  return { ...values, ...overrides };
}
