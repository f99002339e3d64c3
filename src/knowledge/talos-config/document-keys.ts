/**
 * Every key of the named documents of a multi-document machine config, by kind, in the notation of
 * `v1alpha1-keys.ts`; `apiVersion` and `kind` are left out. Source: talos:pkg/machinery/config/types
 * @v1.7.7 … v1.13.9 and main at ad8823176 (1.14).
 */
export const DOCUMENT_KEYS = `
BGPInstanceConfig>=1.14{name vrf localASN routerID routeSource advertise multipath maxPaths
  installRoutes importRoutes{bgpInstance prefixes} neighbors{address link peerASN localASN passive
  holdTime bfd{transmitInterval receiveInterval detectMultiplier}}}
BlackholeRouteConfig>=1.13{name metric}
BondConfig>=1.12{name hardwareAddr links bondMode miimon updelay downdelay useCarrier
  xmitHashPolicy arpInterval arpIpTargets nsIp6Targets arpValidate arpAllTargets lacpRate
  failOverMac adSelect adActorSysPrio adUserPortKey adLACPActive primaryReselect resendIGMP
  minLinks lpInterval packetsPerSlave numPeerNotif tlbLogicalLb allSlavesActive peerNotifDelay
  missedMax up mtu addresses{address routePriority} routes{destination gateway source metric mtu
  table} multicast primary>=1.14}
BridgeConfig>=1.12{name hardwareAddr links stp{enabled} vlan{filtering} up mtu addresses{address
  routePriority} routes{destination gateway source metric mtu table} multicast}
CRIBaseRuntimeSpecConfig>=1.14{overrides~}
CRICustomizationConfig>=1.14{name content}
ContainerConfig>=1.14{name image entrypoint args workingDir runAs{uid gid} environment
  mounts{userVolume{name destination options} tmpfs{destination size options} hostPath{source
  destination options}} security{profile capabilities{add drop}} network{mode}
  resources{limits{cpu memory}} dependsOn{paths networks time containers}}
DHCPv4Config>=1.12{name routeMetric ignoreHostname clientIdentifier duidRaw ignoreRoutes>=1.14}
DHCPv6Config>=1.12{name routeMetric ignoreHostname clientIdentifier duidRaw}
DiscoveryIdentityConfig>=1.14{clusterID clusterSecret}
DiscoveryServiceConfig>=1.14{name endpoint}
DummyLinkConfig>=1.12{name hardwareAddr up mtu addresses{address routePriority} routes{destination
  gateway source metric mtu table} multicast}
EnvironmentConfig>=1.13{variables~}
EtcFileConfig>=1.14{name mode contents}
EthernetConfig>=1.10{name features~ rings{rx tx rx-mini rx-jumbo rx-buf-len cqe-size tx-push
  rx-push tx-push-buf-len tcp-data-split} channels{rx tx other combined} wakeOnLan>=1.12}
EventSinkConfig{endpoint}
ExistingVolumeConfig>=1.11{name discovery{volumeSelector{match}} mount{readOnly
  disableAccessTime>=1.13 secure>=1.13} trim>=1.14{enabled interval} scrub>=1.14{enabled
  interval}}
ExtensionServiceConfig{name configFiles{content mountPath} environment}
ExternalVolumeConfig>=1.13{name filesystemType mount{readOnly disableAccessTime secure
  virtiofs{tag}}}
FilesystemScrubConfig>=1.14{interval}
FilesystemTrimConfig>=1.14{interval}
HCloudVIPConfig>=1.12{name link apiToken}
HTTPProbeConfig>=1.14{name interval failureThreshold url timeout}
HostnameConfig>=1.12{auto hostname}
ImageCacheConfig>=1.14{local{enabled}}
ImageVerificationConfig>=1.13{rules{image skip deny keyless{issuer subject subjectRegex}
  publicKey{certificate}}}
KernelModuleConfig>=1.14{name parameters}
KmsgLogConfig{name url}
KubeAPIServerCAConfig>=1.14{issuingCA{cert key} acceptedCAs}
KubeAPIServerConfig>=1.14{image extraArgs~ env~ resources{requests~ limits~} apiPort certExtraSANs
  startupProbes}
KubeAdmissionControlConfig>=1.14{name configuration~}
KubeAggregatorCAConfig>=1.14{issuingCA{cert key} acceptedCAs}
KubeAuditPolicyConfig>=1.14{configuration~}
KubeAuthenticationConfig>=1.14{configuration~}
KubeAuthorizerConfig>=1.14{name type webhook~}
KubeClusterConfig>=1.14{clusterName endpoint}
KubeControllerManagerConfig>=1.14{enabled image extraArgs~ env~ resources{requests~ limits~}}
KubeCoreDNSConfig>=1.14{enabled image}
KubeCredentialProviderConfig>=1.14{configuration~}
KubeEtcdEncryptionConfig>=1.14{config~}
KubeExternalManifestConfig>=1.14{name headers~ url}
KubeFlannelCNIConfig>=1.14{backendType backendPort backendMTU backendExtraConfig~
  resources{requests~ limits~} extraArgs kubeNetworkPoliciesEnabled}
KubeInlineManifestConfig>=1.14{name manifest}
KubeNetworkConfig>=1.14{dnsDomain podSubnets serviceSubnets nodeCIDRMaskSizeIPv4
  nodeCIDRMaskSizeIPv6}
KubeNodeConfig>=1.14{skipNodeRegistration registerWithFQDN nodeIP{validSubnets} labels~
  annotations~ taints~}
KubePrismConfig>=1.14{port tlsServerName}
KubeProxyConfig>=1.14{enabled image mode config~ extraArgs~ resources{requests~ limits~}}
KubeSchedulerConfig>=1.14{enabled image config~ extraArgs~ env~ resources{requests~ limits~}}
KubeServiceAccountConfig>=1.14{issuer{privateKey issuerURL} accepted{publicKeys issuers
  audiences}}
KubeSpanConfig>=1.13{enabled advertiseKubernetesNetworks allowDownPeerBypass harvestExtraEndpoints
  mtu filters{endpoints excludeAdvertisedNetworks}}
KubeSpanEndpoints>=1.8{extraAnnouncedEndpoints}
KubeSpanEndpointsConfig>=1.8{extraAnnouncedEndpoints}
KubeStaticPodConfig>=1.14{name pod~}
KubeTalosAPIAccessConfig>=1.14{allowedRoles allowedKubernetesNamespaces}
KubeletConfig>=1.14{image config~ extraArgs~ clusterDNS defaultRuntimeSeccompProfileEnabled}
LVMLogicalVolumeConfig>=1.14{name type mirrors stripes provisioning{volumeGroup minSize maxSize}}
LVMVolumeGroupConfig>=1.14{name provisioning{volumeSelector{match}}}
Layer2VIPConfig>=1.12{name link}
LinkAliasConfig>=1.12{name selector{match}}
LinkConfig>=1.12{name up mtu addresses{address routePriority} routes{destination gateway source
  metric mtu table} multicast}
NetworkDefaultActionConfig{ingress}
NetworkRuleConfig{name portSelector{ports protocol} ingress{subnet except}}
OOMConfig>=1.12{triggerExpression cgroupRankingExpression strictCgroupClassOrdering
  sampleInterval}
PCIDriverRebindConfig>=1.10{name targetDriver}
RAIDArrayConfig>=1.14{name level metadata provisioning{volumeSelector{match}}}
RawVolumeConfig>=1.11{name provisioning{diskSelector{match} grow minSize maxSize}
  encryption{provider keys{slot static{passphrase} nodeID kms{endpoint}
  tpm{checkSecurebootStatusOnEnroll options>=1.12{pcrs}} lockToState} cipher keySize blockSize
  options allowDiscards>=1.14}}
RegistryAuthConfig>=1.12{name username password auth identityToken}
RegistryMirrorConfig>=1.12{name endpoints{url overridePath} skipFallback}
RegistryTLSConfig>=1.12{name clientIdentity{cert key crt<1.14} ca insecureSkipVerify}
ResolverConfig>=1.12{nameservers{address protocol>=1.14 tlsServerName>=1.14} searchDomains{domains
  disableDefault} hostDNS>=1.14{enabled forwardKubeDNSToHost resolveMemberNames}}
RoutingRuleConfig>=1.13{name src dst table action iifName oifName fwMark fwMask}
SecurityProfileConfig>=1.14{workloadIsolation}
SideroLinkConfig{apiUrl uniqueToken>=1.10}
StaticHostConfig>=1.12{name hostnames}
SwapVolumeConfig>=1.11{name provisioning{diskSelector{match} grow minSize maxSize}
  encryption{provider keys{slot static{passphrase} nodeID kms{endpoint}
  tpm{checkSecurebootStatusOnEnroll options>=1.12{pcrs}} lockToState} cipher keySize blockSize
  options allowDiscards>=1.14}}
SysctlConfig>=1.14{params~}
SysfsConfig>=1.14{params~}
TCPProbeConfig>=1.13{name interval failureThreshold endpoint timeout}
TimeSyncConfig>=1.12{enabled bootTimeout ntp{servers useNTS>=1.14} ptp{devices}}
TrustedRootsConfig>=1.8{name certificates}
UdevRulesConfig>=1.14{rules}
UnattendedInstall>=1.14{reboot installer{image} provisioning{diskSelector{match} wipe}}
UnattendedInstallConfig>=1.14{reboot installer{image} provisioning{diskSelector{match} wipe}}
UserVolumeConfig>=1.10{name provisioning{diskSelector{match} grow minSize maxSize} filesystem{type
  projectQuotaSupport>=1.11 xfs>=1.14{minAllocationGroupSize}} encryption{provider keys{slot
  static{passphrase} nodeID kms{endpoint} tpm{checkSecurebootStatusOnEnroll options>=1.12{pcrs}}
  lockToState>=1.11} cipher keySize blockSize options allowDiscards>=1.14} volumeType>=1.12
  mount>=1.13{disableAccessTime secure} trim>=1.14{enabled interval} scrub>=1.14{enabled
  interval}}
VLANConfig>=1.12{name vlanID vlanMode parent up mtu addresses{address routePriority}
  routes{destination gateway source metric mtu table} multicast}
VRFConfig>=1.13{name hardwareAddr links table up mtu addresses{address routePriority}
  routes{destination gateway source metric mtu table} multicast}
VethConfig>=1.14{name peer{name up mtu addresses{address routePriority} routes{destination gateway
  source metric mtu table} multicast} up mtu addresses{address routePriority} routes{destination
  gateway source metric mtu table} multicast}
VolumeConfig>=1.8{name provisioning{diskSelector{match} grow minSize maxSize}
  encryption>=1.11{provider keys{slot static{passphrase} nodeID kms{endpoint}
  tpm{checkSecurebootStatusOnEnroll options>=1.12{pcrs}} lockToState} cipher keySize blockSize
  options allowDiscards>=1.14} mount>=1.13{secure disableAccessTime>=1.14}
  filesystem>=1.14{xfs{minAllocationGroupSize}} trim>=1.14{enabled interval} scrub>=1.14{enabled
  interval}}
WatchdogTimerConfig{device timeout}
WireguardConfig>=1.12{name privateKey listenPort firewallMark peers{publicKey presharedKey
  endpoint persistentKeepaliveInterval allowedIPs} up mtu addresses{address routePriority}
  routes{destination gateway source metric mtu table} multicast}
ZswapConfig>=1.11{maxPoolPercent shrinkerEnabled}
`;
