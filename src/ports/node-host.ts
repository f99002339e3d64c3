/**
 * The host of a node: Talos's machine API with host access for what that API cannot do (files under
 * /etc/cni), or host access alone on other distributions.
 */
import type { RulesOwner } from '../model/plan.ts';

export interface NodeHostPort {
  /** Directory entries (base names); undefined when there is no such directory. */
  list(node: string, directory: string): Promise<readonly string[] | undefined>;
  read(node: string, path: string): Promise<string | undefined>;
  write(node: string, path: string, content: string, mode?: number): Promise<void>;
  remove(node: string, path: string): Promise<void>;
  /** As `remove` of each, where that can be done in fewer calls. */
  removeAll?(node: string, paths: readonly string[]): Promise<void>;
  rename(node: string, from: string, to: string): Promise<void>;
  /** The active machine config as YAML, all documents. */
  machineConfig(node: string): Promise<string>;
  /**
   * Applies a machine config patch (strategic merge, strict decoding). Modes as Talos has them.
   * A key that Talos does not know is `refused` with Talos's own message.
   */
  patchMachineConfig(node: string, patch: string, mode: PatchMode): Promise<void>;
  /** Resolves when the node was told; wait on the Node object to see it come back. */
  reboot(node: string): Promise<void>;
  upgrade(node: string, image: string, options: { readonly preserve: boolean }): Promise<void>;
  restartService(node: string, service: string): Promise<void>;
  /** Network links by name, e.g. `flannel.1`, `cni0`. */
  links(node: string): Promise<readonly string[]>;
  /** No error when there is no such link. */
  removeLink(node: string, link: string): Promise<void>;
  /** Removes the rules a stopped kube-proxy left in the kernel (`kube-proxy --cleanup`). */
  cleanKubeProxyRules(node: string): Promise<void>;
  /**
   * What these owners left in the node's packet filters, in words: rules, chains and sets, in both back ends
   * of iptables. Rejects where one of them cannot be read.
   */
  leftRules(node: string, owners: readonly RulesOwner[]): Promise<readonly string[]>;
  /** Removes that and nobody else's, and the nft tables named; `refused` where somebody's rule uses a chain of it. */
  removeLeftRules(node: string, what: RulesRemoval): Promise<void>;
  /** Destroys the pod's sandbox so that the kubelet makes a new one in place (`crictl stopp`). */
  restartSandbox(node: string, namespace: string, pod: string): Promise<void>;
  etcdMembers(): Promise<readonly EtcdMember[]>;
  /** A snapshot of etcd from a healthy member; rejects unless it came whole. It holds every Secret. */
  etcdSnapshot?(sink: EtcdSnapshotSink): Promise<SnapshotOutcome>;
  /** `talosctl upgrade-k8s`: syncs the manifests, and prunes them from Talos 1.13 on. */
  upgradeKubernetes?(to: string | undefined): Promise<void>;
}

export interface RulesRemoval {
  readonly owners: readonly RulesOwner[];
  /** Family and name, `ip flannel-ipv4`; each may be absent. */
  readonly nftTables: readonly string[];
}

export type PatchMode = 'auto' | 'no-reboot' | 'reboot' | 'staged' | 'try';

/** Where a snapshot goes, e.g. a file; begun anew when the stream had to be. */
export interface EtcdSnapshotSink {
  begin(): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
}

export interface SnapshotOutcome {
  readonly bytes: number;
  readonly sha256: string;
}

export interface EtcdMember {
  readonly node: string;
  readonly healthy: boolean;
  readonly learner: boolean;
  readonly leader: boolean;
}
