/**
 * Facts: a normalised, typed description of a cluster and of what is planned for it. Hazards and
 * the planner read nothing else. Derived from a `ClusterInput`; unknown stays unknown.
 */
import type { Source } from '../base/source.ts';
import type {
  CniConfInput,
  ClusterInput,
  DirectoryListing,
  MachineConfigInput,
  ReadObject,
} from './cluster-input.ts';
import type { ConfigTree, Located } from './config-tree.ts';
import type { Fact } from './fact.ts';
import type {
  DaemonSetObject,
  DeploymentObject,
  KubeObject,
  NetworkPolicyObject,
  NodeObject,
  PersistentVolumeObject,
  PodDisruptionBudgetObject,
  PodObject,
  ServiceObject,
  StatefulSetObject,
  WebhookConfigurationObject,
} from './kubernetes.ts';

export type Distribution = 'talos' | 'k3s' | 'rke2' | 'kubeadm';
export type CniName = 'flannel' | 'cilium' | 'calico' | 'canal' | 'kindnet' | 'none';

export interface ClusterFacts {
  readonly cluster: {
    /** UID of the `kube-system` namespace. */
    readonly uid: Fact<string>;
    readonly name: Fact<string>;
    readonly distribution: Fact<Distribution>;
    readonly kubernetesVersion: Fact<string>;
    readonly talosVersion: Fact<string>;
    readonly podCidrs: Fact<readonly string[]>;
    readonly serviceCidrs: Fact<readonly string[]>;
    /** Of the API server, reachable without any Service. */
    readonly apiEndpoint: Fact<ApiEndpoint>;
    /** True when `Node` objects were read: then lists of objects below are complete as read. */
    readonly hasLiveObjects: boolean;
  };
  readonly sourceCni: Fact<CniName>;
  readonly flannel: Fact<FlannelFacts>;
  readonly kubeProxy: Fact<KubeProxyFacts>;
  /** The values that are to be installed, in file order; a cluster may be handed several. */
  readonly targets: readonly TargetFacts[];
  /** What a present Cilium release was installed with. */
  readonly liveRelease: TargetFacts | undefined;
  /** Whole machine configs, and patches; see `machineConfig` helpers for effective values. */
  readonly machineConfigs: readonly MachineConfigFacts[];
  readonly nodes: Fact<readonly NodeFacts[]>;
  readonly workloads: WorkloadFacts;
  readonly cniConfs: readonly CniConfInput[];
  readonly listings: readonly DirectoryListing[];
  /** Objects of kinds that have no list of their own here. */
  readonly otherObjects: readonly ReadObject[];
  readonly input: ClusterInput;
}

export interface ApiEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface FlannelFacts {
  readonly version: Fact<string>;
  readonly backend: Fact<string>;
  /** UDP port of the VXLAN backend. */
  readonly port: Fact<number>;
  readonly network: Fact<string>;
  readonly enforcesPolicies: Fact<boolean>;
  /** EnableNFTables: its rules are tables of nft. */
  readonly nftables: Fact<boolean>;
  readonly daemonSet: Fact<{ readonly namespace: string; readonly name: string }>;
}

export interface KubeProxyFacts {
  readonly present: boolean;
  readonly mode: Fact<'iptables' | 'ipvs' | 'nftables'>;
}

export interface TargetFacts {
  readonly source: Source;
  readonly chartVersion: Fact<string>;
  /** The values as written; defaults are applied by `knowledge/cilium-chart`. */
  readonly values: ConfigTree;
  /** Where in the values file a path is set, shorthand for `values.at`. */
  at(path: string): Located<unknown> | undefined;
}

export interface MachineConfigFacts {
  readonly input: MachineConfigInput;
  readonly node: Fact<string>;
  readonly kind: 'config' | 'patch';
  readonly style: 'v1alpha1' | 'documents';
  readonly machineType: Fact<'controlplane' | 'worker'>;
  readonly cniName: Fact<string>;
  readonly proxyDisabled: Fact<boolean>;
  readonly podSubnets: Fact<readonly string[]>;
  readonly serviceSubnets: Fact<readonly string[]>;
  readonly hostDnsEnabled: Fact<boolean>;
  readonly forwardKubeDnsToHost: Fact<boolean>;
  readonly kubePrism: Fact<{ readonly enabled: boolean; readonly port: number }>;
  readonly nodeIpValidSubnets: Fact<readonly string[]>;
  readonly etcdAdvertisedSubnets: Fact<readonly string[]>;
  readonly installImage: Fact<string>;
  readonly controlPlaneEndpoint: Fact<string>;
  readonly clusterName: Fact<string>;
  readonly kubespanEnabled: Fact<boolean>;
}

export interface NodeFacts {
  readonly name: string;
  readonly source: Source;
  readonly role: Fact<'control-plane' | 'worker'>;
  readonly internalIps: readonly string[];
  readonly podCidrs: readonly string[];
  readonly runtime: Fact<{ readonly name: 'containerd' | 'cri-o'; readonly version: string }>;
  readonly kubeletVersion: Fact<string>;
  readonly kernelVersion: Fact<string>;
  readonly osImage: Fact<string>;
  /** From the OS image string, when the node runs Talos. */
  readonly talosVersion: Fact<string>;
  readonly unschedulable: boolean;
  readonly object: NodeObject;
}

export interface WorkloadFacts {
  readonly pods: readonly Located<PodObject>[];
  readonly daemonSets: readonly Located<DaemonSetObject>[];
  readonly deployments: readonly Located<DeploymentObject>[];
  readonly statefulSets: readonly Located<StatefulSetObject>[];
  readonly services: readonly Located<ServiceObject>[];
  readonly budgets: readonly Located<PodDisruptionBudgetObject>[];
  readonly policies: readonly Located<NetworkPolicyObject | KubeObject>[];
  readonly persistentVolumes: readonly Located<PersistentVolumeObject>[];
  readonly webhooks: readonly Located<WebhookConfigurationObject>[];
}
