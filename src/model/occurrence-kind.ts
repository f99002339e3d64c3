/**
 * Every kind of occurrence, with the mechanism it stands for. The twin may record no other kind, and
 * a hazard may name no other as its sign. `<actor>.<what>`: what happened, never whether it was bad.
 */
export const OCCURRENCE_KINDS = {
  // What somebody did: where chains begin.
  'client.object-created': 'a client created an object through the API',
  'client.object-changed': 'a client changed an object through the API',
  'client.object-deleted': 'a client deleted an object through the API',
  'client.file-written': 'a client wrote a file on a node',
  'client.file-removed': 'a client removed a file or directory on a node',
  'client.file-renamed': 'a client renamed a file on a node',
  'client.link-removed': 'a client removed a network link on a node',
  'client.rules-changed': 'a client changed the packet filters of a node',
  'helm.release-applied': 'helm rendered a chart and applied what it gave',
  'helm.release-uninstalled': 'helm deleted the objects of a release',
  'helm.render-failed': 'the chart refused the values; nothing was applied',
  'helm.replacement-value-refused': 'the chart takes no such value of kubeProxyReplacement',
  'helm.capabilities-refused': 'the chart takes capabilities as lists only',
  'helm.removed-value-refused': 'the chart refuses a value that earlier charts had',
  'helm.value-refused': 'the chart refuses a value by its schema or in a template',
  'helm.release-held':
    'helm refused a release of which an earlier operation had not ended, and changed nothing',
  'gitops.reverted': 'a reconciler put an object back to what its source says',

  'fault.struck': 'a rehearsal let something go wrong that it was told to try',

  // Machines.
  'machine.reboot-started': 'a machine stops its pods to reboot',
  'machine.runtime-state-lost':
    'a machine went down, and what lay on a tmpfs or in its kernel with it',
  'machine.rebooted': 'a machine booted',
  'service.stopped': 'a service of the system ended, and the parts of the cluster in it',
  'service.started': 'a service of the system runs, with the parts that its configuration asks for',
  'talos.upgrade-started':
    'Talos began to upgrade itself, with the drain and the reboot that go with it',
  'talos.reboot-started': 'Talos stops its pods to reboot',
  'talos.runtime-state-lost': 'Talos went down, and /run and the network in its kernel with it',
  'talos.rebooted': 'Talos booted the version it ran before',
  'talos.os-upgraded': 'Talos booted another version',
  'talos.service-restarted': 'Talos restarted a service of its own, with an empty memory',
  'talos.config-applied': 'a machine config was changed',
  'talos.config-rejected': 'Talos refused a patch and kept the config it had',
  'talos.kubernetes-upgraded': 'talosctl upgrade-k8s synced the manifests that Talos renders',
  'talos.manifests-created': 'Talos created what its config renders and the cluster did not have',
  'talos.manifests-pruned': 'Talos deleted what it once applied and renders no more',
  'talos.drain-gave-up': "Talos's own drain ran into its time-out, and the upgrade went on",
  'talos.node-ip-changed': 'Talos chose another address to report as that of the node',
  'node.files-lost': 'a reboot, an upgrade or a wipe emptied mounts that held files',

  // Nodes as the control plane sees them.
  'node.registered': 'a kubelet that started created the Node of its machine, which was not there',
  'node.ready': 'a kubelet reported its node ready',
  'node.not-ready': 'a kubelet reported its node not ready',
  'node.unreachable': 'a kubelet stopped renewing its lease',
  'node.pod-evicted-by-taint': 'a pod outstayed its toleration of a NoExecute taint',
  'node.master-disruption': 'no node was ready, so evictions by taint stopped',

  // The container runtime and the CNI plugins it calls.
  'cni.network-loaded': 'a runtime took another network for the pods to come',
  'cni.no-conf': 'a runtime found no conf that it would take',
  'cni.load-failed': 'the first conf was broken, and the network loaded before it was dropped',
  'cni.old-conf-selected': 'a node that a new CNI serves gave a new pod to the old network',
  'cni.watch-lost': 'the conf directory itself went away, and the watch of the runtime with it',
  'cni.binary-missing': 'a conf called a plugin that is not among the binaries of the node',
  'host-local.lease-leaked': 'a sandbox was torn down by another network than gave it its address',
  'containerd.exited': 'containerd lost the directory it watched and ended itself',

  // The kubelet.
  'kubelet.sandbox-failed': 'a sandbox could not be made',
  'kubelet.sandbox-not-cleared': 'a dead sandbox could not be torn down before a new one is made',
  'kubelet.pod-stuck-terminating': 'the sandbox of a pod that ends could not be torn down',
  'kubelet.network-not-ready': 'a pod waits because the runtime has no network for it',
  'kubelet.volume-not-attached': 'a pod waits for a volume to be attached to its node',
  'kubelet.volume-source-missing':
    'a pod waits for a ConfigMap or Secret that it mounts and that is not there',
  'kubelet.container-config-missing':
    'a container was not created in its sandbox: a ConfigMap, Secret or key for its environment is not there',
  'kubelet.container-killed': 'a liveness or startup probe condemned a container',
  'kubelet.token-mount-lost':
    'a kubelet that restarted no longer writes the tokens of running pods',
  'kubelet.pod-ready': 'a pod became ready',
  'kubelet.pod-unready': 'a pod stopped being ready',

  // The control plane.
  'scheduler.no-room': 'no node took a pod, some of them for want of room',
  'scheduler.volume-elsewhere': 'no node took a pod, some because its volume is on another',
  'scheduler.unschedulable': 'no node took a pod, for taints, cordons or affinity',
  'controller.pod-create-refused': 'a controller was refused the pod it wanted to create',
  'eviction.budget-allows-none':
    'a budget refused an eviction that it would refuse with all its pods healthy too',
  'eviction.budget-used-up': 'a budget refused an eviction because too few of its pods are healthy',
  'eviction.budgets-overlap': 'an eviction failed because more than one budget covers the pod',
  'volume.multi-attach': 'a volume is still attached to another node',
  'volume.attach-failed': 'a CSI driver did not attach a volume',
  'etcd.quorum-lost': 'too few members of etcd were left for the API server to answer',
  'api.webhook-unreachable': 'the API server could not call an admission webhook',
  'token.expired': 'a token was refused because it had expired',
  'token.not-yet-valid':
    'a token was refused because the clock that judges it is behind the one that issued it',
  'token.service-account-deleted': 'a token was refused because its service account is gone',
  'token.service-account-recreated':
    'a token was refused because its service account is another one now',
  'token.pod-gone': 'a token was refused because its pod is gone or another one',

  // Programs in containers.
  'flannel.daemonset-removed': 'the DaemonSet of flanneld was deleted',
  'flannel.not-running': 'no flanneld runs on a node that still calls the flannel plugin',
  'kube-proxy.removed': 'the DaemonSet of kube-proxy was deleted',
  'overlay.port-clash': 'two VXLAN devices of a node want one UDP port',
  'cilium-agent.api-lost': 'an agent does not reach the API server',
  'cilium-agent.service-address-untranslated':
    'an agent was left with the ClusterIP of the API server, and nothing translates it on its node',
  'cilium-agent.kube-prism-refused':
    'an agent was sent to a port of its own node on which no KubePrism listens',
  'cilium-agent.replacement-value-refused':
    'an agent does not take the value of --kube-proxy-replacement',
  'cilium-agent.bpf-masquerade-refused': 'an agent masquerades in BPF only with NodePort in BPF',
  'cilium-agent.direct-routes-refused': 'an agent adds direct routes only without a tunnel',
  'cilium-agent.services-taken-over':
    "an agent's programs took NodePort packets over from kube-proxy",
  'cilium-agent.host-routing-bypassed':
    "an agent's programs route the packets of its pods past the stack of the host",
  'cilium-agent.old-network-bypassed':
    "packets of Cilium's pods pass the links of another network on the node by",
  'cilium-agent.exited': 'an agent ended with an error',
  'cilium-agent.conf-management-disabled':
    'an agent has no path to write a CNI conf to and leaves all confs alone',
  'cilium-operator.pool-changed':
    'the operator runs with a pool other than the one nodes hold addresses of',
  'cilium-operator.unmanaged-pod-restarted':
    'the operator deleted a pod that Cilium does not carry',
  'dns.no-ready-server': 'the last ready pod behind the DNS service went away',
  'dns.host-dns-unreachable': "a DNS server's queries die on the way to the resolver of its node",
  'longhorn.backend-unreachable': 'a CSI plugin does not reach longhorn-backend',
  'longhorn.instance-manager-down': 'no instance manager of the node serves the engine of a volume',
  'longhorn.volume-unknown': 'the engine of a volume is gone',
  'longhorn.volume-faulted': 'an engine reaches no replica of its volume',
  'longhorn.volume-degraded': 'an engine reaches some replicas of its volume only',
  'longhorn.volume-healthy': 'an engine reaches all replicas of its volume',
} as const;

export type OccurrenceKind = keyof typeof OCCURRENCE_KINDS;
