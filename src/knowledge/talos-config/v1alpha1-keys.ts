/**
 * Every key of the v1alpha1 machine config, as data. Notation: `key{children}`; `key~` takes any
 * keys below it; `*{…}` stands for every key; `>=1.13` and `<1.12` bound the Talos minors that know
 * it. Lists are written as what they hold. Source:
 * talos:pkg/machinery/config/types/v1alpha1/v1alpha1_types.go@v1.7.7, v1.8.4, v1.9.6, v1.10.5,
 * v1.11.6, v1.12.11, v1.13.9 and main at ad8823176 (1.14).
 */
export const V1ALPHA1_KEYS = `
version
debug
persist
machine{type token ca{crt key} acceptedCAs{crt} certSANs controlPlane{controllerManager{disabled}
    scheduler{disabled}} kubelet{image clusterDNS extraArgs~ extraMounts{destination type source
    options uidMappings{containerID hostID size} gidMappings{containerID hostID size}}
    extraConfig~ credentialProviderConfig~ defaultRuntimeSeccompProfileEnabled registerWithFQDN
    nodeIP{validSubnets} skipNodeRegistration disableManifestsDirectory} pods~ network{hostname
    interfaces{interface deviceSelector{busPath hardwareAddr pciID driver physical
    permanentAddr>=1.9} addresses cidr routes{network gateway source metric mtu} bond{interfaces
    deviceSelectors{busPath hardwareAddr pciID driver physical permanentAddr>=1.9} arpIPTarget
    mode xmitHashPolicy lacpRate adActorSystem arpValidate arpAllTargets primary primaryReselect
    failOverMac adSelect miimon updelay downdelay arpInterval resendIgmp minLinks lpInterval
    packetsPerSlave numPeerNotif tlbDynamicLb allSlavesActive useCarrier adActorSysPrio
    adUserPortKey peerNotifyDelay} bridge{interfaces stp{enabled} vlan>=1.8{vlanFiltering}}
    vlans{addresses cidr routes{network gateway source metric mtu} dhcp vlanId mtu vip{ip
    equinixMetal{apiToken} hcloud{apiToken}} dhcpOptions{routeMetric ipv4 ipv6 duidv6}} mtu dhcp
    ignore dummy dhcpOptions{routeMetric ipv4 ipv6 duidv6} wireguard{privateKey listenPort
    firewallMark peers{publicKey endpoint persistentKeepaliveInterval allowedIPs}} vip{ip
    equinixMetal{apiToken} hcloud{apiToken}} bridgePort>=1.9{master}} nameservers
    extraHostEntries{ip aliases} kubespan{enabled advertiseKubernetesNetworks allowDownPeerBypass
    harvestExtraEndpoints mtu filters{endpoints excludeAdvertisedNetworks>=1.12}}
    disableSearchDomain searchDomains>=1.9} disks{device partitions{size mountpoint}} install{disk
    diskSelector{size name model serial modalias uuid wwid type busPath} extraKernelArgs image
    extensions{image} bootloader wipe legacyBIOSSupport grubUseUKICmdline>=1.12} files{content
    permissions path op} env~ time{disabled servers bootTimeout} sysctls~ sysfs~
    registries{mirrors{*{endpoints overridePath skipFallback>=1.9}}
    config{*{tls{clientIdentity{crt key} ca insecureSkipVerify} auth{username password auth
    identityToken}}}} systemDiskEncryption{state{provider keys{static{passphrase} nodeID
    kms{endpoint} slot tpm{checkSecurebootStatusOnEnroll}} cipher keySize blockSize options}
    ephemeral{provider keys{static{passphrase} nodeID kms{endpoint} slot
    tpm{checkSecurebootStatusOnEnroll}} cipher keySize blockSize options}} features{rbac
    stableHostname kubernetesTalosAPIAccess{enabled allowedRoles allowedKubernetesNamespaces}
    apidCheckExtKeyUsage diskQuotaSupport kubePrism{enabled port} hostDNS{enabled
    forwardKubeDNSToHost resolveMemberNames} imageCache>=1.9{localEnabled}
    nodeAddressSortAlgorithm>=1.9} udev{rules} logging{destinations{endpoint format extraTags~}}
    kernel{modules{name parameters}} seccompProfiles{name value~} nodeLabels~ nodeTaints~
    nodeAnnotations~>=1.8 baseRuntimeSpecOverrides~>=1.9}
cluster{id secret controlPlane{endpoint localAPIServerPort} clusterName network{cni{name urls
    flannel{extraArgs kubeNetworkPoliciesEnabled>=1.13}} dnsDomain podSubnets serviceSubnets}
    token aescbcEncryptionSecret secretboxEncryptionSecret ca{crt key} acceptedCAs{crt}
    aggregatorCA{crt key} serviceAccount{key} apiServer{image extraArgs~ extraVolumes{hostPath
    mountPath readonly} env~ certSANs disablePodSecurityPolicy admissionControl{name
    configuration~} auditPolicy~ resources{requests~ limits~} authorizationConfig>=1.9{type name
    webhook~}} controllerManager{image extraArgs~ extraVolumes{hostPath mountPath readonly} env~
    resources{requests~ limits~}} proxy{disabled image mode extraArgs~} scheduler{image extraArgs~
    extraVolumes{hostPath mountPath readonly} env~ resources{requests~ limits~} config~}
    discovery{enabled registries{kubernetes{disabled} service{disabled endpoint}}} etcd{image
    ca{crt key} extraArgs~ subnet advertisedSubnets listenSubnets} coreDNS{disabled image}
    externalCloudProvider{enabled manifests} extraManifests extraManifestHeaders~
    inlineManifests{name contents} adminKubeconfig{certLifetime} allowSchedulingOnMasters
    allowSchedulingOnControlPlanes}
`;
