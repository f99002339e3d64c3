/**
 * JSON types that the chart's values.schema.json asks for, for values outside the sub-charts
 * (cluster mesh, Hubble UI, …). The schema ships since 1.16.0 and allows unknown keys.
 * Source: charts:cilium/values.schema.json@1.16.5, 1.17.18, 1.18.12, 1.19.6, 1.20.0.
 */

export interface TypeRow {
  /** JSON types, `|` between them. */
  readonly types: string;
  /** First minor with this type; absent: 1.16. */
  readonly since?: string;
  /** First minor without it. */
  readonly until?: string;
  /** Dotted paths, white space between them. */
  readonly paths: string;
}

export const VALUE_TYPES: readonly TypeRow[] = [
  {
    types: 'integer',
    paths: `
      MTU cluster.id dnsProxy.endpointMaxIpPerHostname dnsProxy.maxDeferredConnectionDeletes
      dnsProxy.minTtl dnsProxy.proxyPort dnsProxy.socketLingerTimeout envoy.baseID
      envoy.connectTimeoutSeconds envoy.healthPort envoy.idleTimeoutDurationSeconds
      envoy.initialFetchTimeoutSeconds envoy.livenessProbe.failureThreshold
      envoy.livenessProbe.periodSeconds envoy.maxConnectionDurationSeconds
      envoy.maxRequestsPerConnection envoy.readinessProbe.failureThreshold
      envoy.readinessProbe.periodSeconds envoy.startupProbe.failureThreshold
      envoy.startupProbe.periodSeconds envoy.terminationGracePeriodSeconds
      envoy.xffNumTrustedHopsL7PolicyEgress envoy.xffNumTrustedHopsL7PolicyIngress healthPort
      hubble.peerService.targetPort ipam.operator.clusterPoolIPv4MaskSize
      ipam.operator.clusterPoolIPv6MaskSize livenessProbe.failureThreshold
      livenessProbe.periodSeconds nat.mapStatsEntries operator.replicas
      operator.unmanagedPodWatcher.intervalSeconds readinessProbe.failureThreshold
      readinessProbe.periodSeconds startupProbe.failureThreshold startupProbe.periodSeconds
      terminationGracePeriodSeconds tunnelPort`,
  },
  {
    types: 'boolean',
    paths: `
      agent aksbyocni.enabled annotateK8sNode bandwidthManager.bbr bandwidthManager.enabled
      bgpControlPlane.enabled bgpControlPlane.secretsNamespace.create bpf.autoMount.enabled
      bpf.disableExternalIPMitigation bpf.enableTCX bpf.events.drop.enabled
      bpf.events.policyVerdict.enabled bpf.events.trace.enabled bpf.lbExternalClusterIP
      bpf.preallocateMaps bpfClockProbe cgroup.autoMount.enabled ciliumEndpointSlice.enabled
      cleanBpfState cleanState cni.customConf cni.enableRouteMTUForCNIChaining cni.exclusive
      cni.install cni.uninstall debug.enabled directRoutingSkipUnreachable disableEndpointCRD
      dnsProxy.enableDnsCompression egressGateway.enabled enableCriticalPriorityClass
      enableIPv4BIGTCP enableIPv6BIGTCP enableIPv6Masquerade enableMasqueradeRouteSource
      enableXTSocketFallback encryption.enabled encryption.ipsec.keyWatcher
      encryption.nodeEncryption endpointHealthChecking.enabled envoy.image.useDigest
      envoy.rollOutPods envoy.securityContext.capabilities.keepCapNetBindService
      envoy.securityContext.privileged etcd.enabled etcd.ssl forceDeviceDetection gke.enabled
      healthChecking hostFirewall.enabled hubble.dropEventEmitter.enabled hubble.enabled
      hubble.preferIpv6 image.useDigest installNoConntrackIptablesRules ipMasqAgent.enabled
      ipv4.enabled ipv6.enabled k8s.requireIPv4PodCIDR k8s.requireIPv6PodCIDR
      k8sNetworkPolicy.enabled keepDeprecatedLabels keepDeprecatedProbes
      l2NeighDiscovery.enabled l2announcements.enabled l2podAnnouncements.enabled l7Proxy
      localRedirectPolicy logSystemLoad nat46x64Gateway.enabled nodeIPAM.enabled
      nodePort.autoProtectPortRange nodePort.bindProtection nodePort.enableHealthCheck
      nodePort.enableHealthCheckLoadBalancerIP nodeSelectorLabels operator.enabled
      operator.hostNetwork operator.image.useDigest operator.podDisruptionBudget.enabled
      operator.removeNodeTaints operator.rollOutPods operator.setNodeNetworkStatus
      operator.skipCRDCreation operator.unmanagedPodWatcher.restart pmtuDiscovery.enabled
      rbac.create resourceQuotas.enabled rollOutCiliumPods sctp.enabled
      securityContext.privileged sleepAfterInit socketLB.enabled synchronizeK8sNodes
      sysctlfix.enabled waitForKubeProxy wellKnownIdentities.enabled`,
  },
  {
    types: 'string',
    paths: `
      agentNotReadyTaintKey bgpControlPlane.secretsNamespace.name bpf.datapathMode
      bpf.monitorAggregation bpf.monitorFlags bpf.monitorInterval bpf.root cgroup.hostRoot
      cluster.name cni.binPath cni.confFileMountPath cni.confPath cni.configMapKey
      cni.hostConfDirMountPath cni.logFile cni.resources.requests.memory conntrackGCInterval
      conntrackGCMaxInterval crdWaitTimeout daemon.runPath dnsPolicy
      dnsProxy.dnsRejectResponseCode dnsProxy.idleConnectionGracePeriod dnsProxy.preCache
      dnsProxy.proxyResponseMaxDelay egressGateway.reconciliationTriggerInterval
      encryption.ipsec.interface encryption.ipsec.keyFile encryption.ipsec.keyRotationDuration
      encryption.ipsec.mountPath encryption.ipsec.secretName encryption.type
      encryption.wireguard.persistentKeepalive envoy.image.digest envoy.image.pullPolicy
      envoy.image.repository envoy.image.tag envoy.podSecurityContext.appArmorProfile.type
      envoy.securityContext.seLinuxOptions.level envoy.securityContext.seLinuxOptions.type
      envoy.updateStrategy.type hubble.dropEventEmitter.interval hubble.listenAddress
      hubble.peerService.clusterDomain hubble.socketPath identityAllocationMode
      identityChangeGracePeriod image.digest image.pullPolicy image.repository image.tag
      ipam.ciliumNodeUpdateRate ipam.mode ipv4NativeRoutingCIDR ipv6NativeRoutingCIDR
      k8sServiceHost kubeConfigPath kubeProxyReplacementHealthzBindAddr
      loadBalancer.acceleration loadBalancer.l7.algorithm loadBalancer.l7.backend name
      nat.mapStatsInterval operator.dnsPolicy operator.endpointGCInterval
      operator.identityGCInterval operator.identityHeartbeatTimeout
      operator.image.alibabacloudDigest operator.image.awsDigest operator.image.azureDigest
      operator.image.genericDigest operator.image.pullPolicy operator.image.repository
      operator.image.suffix operator.image.tag operator.nodeGCInterval
      operator.priorityClassName operator.updateStrategy.type
      podSecurityContext.appArmorProfile.type policyEnforcementMode priorityClassName
      resourceQuotas.cilium.hard.pods resourceQuotas.operator.hard.pods routingMode
      securityContext.seLinuxOptions.level securityContext.seLinuxOptions.type
      serviceNoBackendResponse tunnelProtocol updateStrategy.type`,
  },
  {
    types: 'null|string',
    paths: `
      apiRateLimit cni.chainingMode cni.chainingTarget daemon.allowedConfigOverrides
      daemon.blockedConfigOverrides daemon.configSources debug.verbose envoy.dnsPolicy
      envoy.image.override envoy.priorityClassName image.override operator.image.override
      upgradeCompatibility`,
  },
  { types: 'boolean|string', paths: 'autoDirectNodeRoutes endpointRoutes.enabled' },
  {
    types: 'integer|null',
    paths: `
      bpf.authMapMax bpf.ctAnyMax bpf.ctTcpMax bpf.lbMapMax bpf.natMax bpf.neighMax
      bpf.nodeMapMax bpf.policyMapMax ipam.operator.externalAPILimitBurstSize
      k8sClientRateLimit.burst k8sClientRateLimit.qps`,
  },
  {
    types: 'boolean|null',
    paths: `
      bpf.hostLegacyRouting bpf.masquerade bpf.tproxy envoy.enabled hubble.skipUnknownCGroupIDs
      operator.setNodeTaints`,
  },
  { types: 'array|null', paths: 'bpf.vlanBypass' },
  {
    types: 'array',
    paths: `
      ciliumEndpointSlice.rateLimits envoy.extraArgs envoy.extraContainers envoy.extraEnv
      envoy.extraHostPathMounts envoy.extraVolumeMounts envoy.extraVolumes
      envoy.securityContext.capabilities.envoy envoy.tolerations etcd.endpoints extraArgs
      extraContainers extraEnv extraHostPathMounts extraInitContainers extraVolumeMounts
      extraVolumes hubble.dropEventEmitter.reasons imagePullSecrets loadBalancer.l7.ports
      operator.extraArgs operator.extraEnv operator.extraHostPathMounts
      operator.extraVolumeMounts operator.extraVolumes operator.topologySpreadConstraints
      securityContext.capabilities.applySysctlOverwrites
      securityContext.capabilities.ciliumAgent securityContext.capabilities.cleanCiliumState
      securityContext.capabilities.mountCgroup tolerations`,
  },
  {
    types: 'integer|string',
    paths: `
      envoy.updateStrategy.rollingUpdate.maxUnavailable k8sServicePort
      operator.updateStrategy.rollingUpdate.maxSurge
      operator.updateStrategy.rollingUpdate.maxUnavailable
      updateStrategy.rollingUpdate.maxUnavailable`,
  },
  {
    types: 'array|string',
    paths: `
      ipam.operator.clusterPoolIPv4PodCIDRList ipam.operator.clusterPoolIPv6PodCIDRList`,
  },
  { types: 'null|number', paths: 'ipam.operator.externalAPILimitQPS' },
  { types: 'array|null|string', paths: 'nodePort.addresses policyCIDRMatchMode' },
  {
    types: 'integer|null|string',
    paths: `
      operator.podDisruptionBudget.maxUnavailable operator.podDisruptionBudget.minAvailable`,
  },
  {
    types: 'array',
    since: '1.18',
    paths: `
      configDriftDetection.ignoredKeys operator.securityContext.capabilities.drop`,
  },
  { types: 'array', until: '1.18', paths: 'operator.tolerations' },
  {
    types: 'array|null',
    since: '1.18',
    paths: `
      localRedirectPolicies.addressMatcherCIDRs operator.tolerations`,
  },
  { types: 'array|null|string', since: '1.20', paths: 'devices' },
  {
    types: 'boolean',
    since: '1.17',
    paths: `
      bpf.ctAccounting bpf.distributedLRU.enabled ipam.installUplinkRoutesForDelegatedIPAM`,
  },
  {
    types: 'boolean',
    since: '1.18',
    paths: `
      cni.iptablesRemoveAWSRules configDriftDetection.driftChecker configDriftDetection.enabled
      localRedirectPolicies.enabled`,
  },
  {
    types: 'boolean',
    since: '1.19',
    paths: `
      encryption.strictMode.egress.allowRemoteNodeIdentities
      encryption.strictMode.egress.enabled encryption.strictMode.ingress.enabled`,
  },
  {
    types: 'boolean',
    since: '1.20',
    paths: `
      nativeRoutingCIDRFromClusterPool nodePort.enableDynamicSourceLookup preferIpv6`,
  },
  {
    types: 'boolean',
    until: '1.17',
    paths: `
      bgp.announce.loadbalancerIP bgp.announce.podCIDR bgp.enabled
      encryption.wireguard.userspaceFallback externalIPs.enabled`,
  },
  {
    types: 'boolean',
    until: '1.18',
    paths: `
      enableCiliumEndpointSlice enableIPv4Masquerade enableK8sTerminatingEndpoint
      enableRuntimeDeviceDetection highScaleIPcache.enabled hostPort.enabled`,
  },
  {
    types: 'boolean',
    until: '1.19',
    paths: `
      customCalls.enabled nodePort.enabled svcSourceRangeCheck`,
  },
  {
    types: 'boolean',
    until: '1.20',
    paths: `
      encryption.strictMode.allowRemoteNodeIdentities encryption.strictMode.enabled`,
  },
  { types: 'boolean|null', since: '1.17', paths: 'daemon.enableSourceIPVerification' },
  { types: 'boolean|null', since: '1.18', paths: 'enableIPv4Masquerade' },
  { types: 'boolean|string', since: '1.18', paths: 'kubeProxyReplacement' },
  {
    types: 'null|string',
    since: '1.17',
    paths: `
      k8sServiceLookupConfigMapName k8sServiceLookupNamespace`,
  },
  {
    types: 'null|string',
    since: '1.18',
    paths: `
      k8sServiceHostRef.key k8sServiceHostRef.name
      operator.podDisruptionBudget.unhealthyPodEvictionPolicy`,
  },
  { types: 'null|string', since: '1.19', paths: 'operator.unmanagedPodWatcher.selector' },
  { types: 'null|string', since: '1.20', paths: 'k8s.apiServerURLs' },
  { types: 'string', since: '1.17', paths: 'ipam.multiPoolPreAllocation tunnelSourcePortRange' },
  { types: 'string', since: '1.18', paths: 'cni.configMap underlayProtocol' },
  {
    types: 'string',
    since: '1.19',
    paths: `
      encryption.strictMode.egress.cidr l2podAnnouncements.interfacePattern`,
  },
  { types: 'string', until: '1.18', paths: 'l2NeighDiscovery.refreshPeriod' },
  { types: 'string', until: '1.19', paths: 'l2podAnnouncements.interface' },
  { types: 'string', until: '1.20', paths: 'encryption.strictMode.cidr' },
];
