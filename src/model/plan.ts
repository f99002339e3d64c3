/**
 * A plan: an ordered graph of steps, bound to one cluster and one state of it (contract: Plan).
 * It is data: JSON in, JSON out, reviewable, hashed; every step names what it waits for and why.
 */
import type { RehearsalSummary } from './rehearsal.ts';
import type { KubeObject } from './kubernetes.ts';

export const PHASES = [
  'prepare',
  'install-secondary',
  'move-nodes',
  'finalise',
  'replace-kube-proxy',
  'remove-old-cni',
  'enforce-policies',
  'clean-up',
  'roll-back',
] as const;
export type Phase = (typeof PHASES)[number];

export type NodeStrategy = 'evict-in-place' | 'reboot' | 'sandbox-restart';

/** What a step does; each kind has one module in `steps/` that observes, acts, verifies, undoes. */
export type Action =
  | {
      readonly kind: 'back-up';
      readonly objects: readonly ObjectSelector[];
      /** Nodes whose CNI confs are saved with them. */
      readonly confsOf?: readonly string[];
      /** Patches of later steps: what they replace in the machine configs is saved. */
      readonly patches?: readonly { readonly nodes: readonly string[]; readonly patch: string }[];
      /** A snapshot of etcd, where the machine gives one and there is a place for it. */
      readonly etcd?: boolean;
    }
  | {
      readonly kind: 'patch-machine-config';
      readonly nodes: readonly string[];
      readonly patch: string;
    }
  | {
      readonly kind: 'install-helm-release';
      readonly release: string;
      readonly namespace: string;
      readonly chart: 'cilium';
      readonly version: string;
      readonly values: Readonly<Record<string, unknown>>;
    }
  | {
      readonly kind: 'uninstall-helm-release';
      readonly release: string;
      readonly namespace: string;
    }
  | { readonly kind: 'apply-objects'; readonly objects: readonly KubeObject[] }
  | { readonly kind: 'delete-objects'; readonly objects: readonly ObjectSelector[] }
  | {
      /** Applies again what a back-up step saved. */
      readonly kind: 'restore-objects';
      /** Id of the back-up step. */
      readonly backup: string;
      readonly objects: readonly ObjectSelector[];
    }
  | {
      readonly kind: 'label-node';
      readonly node: string;
      readonly labels: Readonly<Record<string, string | null>>;
      readonly annotations?: Readonly<Record<string, string | null>>;
    }
  | {
      readonly kind: 'cordon';
      readonly nodes: readonly string[];
      /** A node that carries the label is past this step and is left alone. */
      readonly exceptLabel?: string;
      /** Only nodes that carry the label. */
      readonly onlyLabel?: string;
    }
  | {
      readonly kind: 'uncordon';
      readonly nodes: readonly string[];
      /** A node that carries the label stays as it is. */
      readonly exceptLabel?: string;
    }
  | { readonly kind: 'restart-agent'; readonly node: string }
  | {
      /** Sets or takes away the label by which a CiliumNodeConfig selects the node, and restarts its agent. */
      readonly kind: 'reconfigure-agent';
      readonly node: string;
      readonly label: string;
      readonly selected: boolean;
    }
  | {
      readonly kind: 'restart-pods';
      readonly node: string;
      readonly strategy: NodeStrategy;
      readonly drainTimeoutSeconds: number;
      /** `namespace/name` of budgets that can never allow an eviction: their pods restart in place. */
      readonly budgetsWithoutRoom?: readonly string[];
    }
  | {
      /** Gives the node back to the old CNI: label, agent, conf files, pods. */
      readonly kind: 'return-node';
      readonly node: string;
      readonly strategy: NodeStrategy;
      /** The label that selects the node for the new CNI. */
      readonly label: string;
      /** Base name of the old CNI's conf. */
      readonly oldConf: string;
      /** Id of the step that saved it. */
      readonly backup?: string;
    }
  | { readonly kind: 'roll-out'; readonly target: ObjectSelector }
  /** The owner: the object that tells a GitOps controller what to keep as it is. */
  | { readonly kind: 'suspend-owner'; readonly owner: ObjectSelector }
  | { readonly kind: 'resume-owner'; readonly owner: ObjectSelector }
  | {
      readonly kind: 'change-node-files';
      readonly nodes: readonly string[];
      readonly remove: readonly string[];
      readonly links: readonly string[];
      readonly cleanKubeProxyRules: boolean;
    }
  | {
      /** Takes what these left out of the nodes' packet filters, and nobody else's rules. */
      readonly kind: 'clean-packet-filter';
      readonly nodes: readonly string[];
      readonly owners: readonly RulesOwner[];
      /** Tables of nft as a whole: `ip flannel-ipv4`. */
      readonly nftTables: readonly string[];
    }
  | {
      /** A file that a service of the node's system reads when it starts. */
      readonly kind: 'write-node-file';
      readonly nodes: readonly string[];
      readonly path: string;
      /** Null: there is no such file. */
      readonly content: string | null;
    }
  | {
      /** Restarts a service of the node's system, one node after the other, until each has taken its configuration. */
      readonly kind: 'restart-service';
      readonly nodes: readonly string[];
      readonly service: string;
      readonly proof: ServiceProof;
    }
  | {
      /** The node's probe gets the new network, before any workload does. */
      readonly kind: 'move-probe';
      readonly node: string;
      /** One that is on the old network, for whoever tries by hand; absent where there is none. */
      readonly beside?: string;
    }
  | {
      /** Sees what policies would drop that are audited and not enforced. */
      readonly kind: 'audit-policies';
      readonly nodes: readonly string[];
      /** How long connections are watched. */
      readonly seconds: number;
    }
  /** Sees that what a policy forbids does not happen, from each of the nodes. */
  | { readonly kind: 'prove-policies'; readonly nodes: readonly string[] }
  | {
      readonly kind: 'verify';
      readonly scope: 'node' | 'cluster';
      readonly nodes: readonly string[];
    };

export type ActionKind = Action['kind'];

/** Who writes rules into a node's packet filters and leaves them there: `kube-router` is K3s's policy controller. */
export const RULES_OWNERS = ['flannel', 'kube-router', 'calico'] as const;

export type RulesOwner = (typeof RULES_OWNERS)[number];

/** What a service leaves on its node when it starts, by which it is seen to have taken its configuration. */
export interface ServiceProof {
  /** A file that the service writes at every start. */
  readonly path: string;
  readonly text: string;
  /** Whether the text is in the file then. */
  readonly present: boolean;
  /** A static pod of each node that is there with the text: its kubelet shows it, or takes it away, when it has started. */
  readonly staticPod?: { readonly namespace: string; readonly name: string };
}

/** Where a container runtime looks for CNI confs and plugins. */
export interface RuntimeDirectories {
  readonly conf: string;
  readonly bin: string;
}

export interface ObjectSelector {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export function selectorOf({ apiVersion, kind, metadata }: KubeObject): ObjectSelector {
  const { namespace, name } = metadata;
  return namespace === undefined
    ? { apiVersion, kind, name }
    : { apiVersion, kind, namespace, name };
}

/** A condition that must hold before the step starts. One that cannot be evaluated does not hold. */
export type Gate =
  /** Of no nodes: all that the plan moves. */
  | { readonly kind: 'nodes-ready'; readonly nodes: readonly string[] }
  | { readonly kind: 'agents-ready'; readonly nodes: readonly string[] }
  | {
      readonly kind: 'conf-selected';
      readonly node: string;
      readonly network: 'flannel' | 'cilium';
      /** Where the runtime will look, instead of where it looks now. */
      readonly directories?: RuntimeDirectories;
    }
  /** `consent`: the only voter; the API is away while the node is, which was agreed to. */
  | { readonly kind: 'etcd-quorum'; readonly node: string; readonly consent?: boolean }
  | { readonly kind: 'workloads-ready' }
  | { readonly kind: 'dns-answers' }
  | { readonly kind: 'paths-clear' }
  | { readonly kind: 'volumes-healthy' }
  | { readonly kind: 'no-old-pods'; readonly nodes: readonly string[] }
  | {
      readonly kind: 'node-addresses-unchanged';
      readonly nodes: readonly string[];
      /** InternalIPs by node, as they were when the plan was made. */
      readonly expected: Readonly<Record<string, readonly string[]>>;
    }
  /** Nothing that these write is in the packet filters of the nodes; one of them that runs still would write it again. */
  | {
      readonly kind: 'rules-gone';
      readonly nodes: readonly string[];
      readonly owners: readonly RulesOwner[];
    }
  | { readonly kind: 'webhooks-reachable' }
  /** What an agent would read if it started now is what the release wrote for it. */
  | { readonly kind: 'configuration-kept'; readonly release: string; readonly namespace: string }
  /** The node's probe, on the new network, works from and to the old one; `alone`: there is no other node. */
  | { readonly kind: 'canaries-meet'; readonly node: string; readonly alone: boolean }
  /** No pod waits for a sandbox whose like had one before the first step. */
  | { readonly kind: 'sandboxes-made' }
  /** No event of the last minute tells of a 401 that was not there before the first step. */
  | { readonly kind: 'tokens-accepted' }
  | { readonly kind: 'owners-suspended'; readonly owners: readonly ObjectSelector[] };

export interface BlastRadius {
  readonly scope: 'none' | 'pods' | 'node' | 'nodes' | 'cluster';
  /** What a failure of the step can take down at worst, in words. */
  readonly worst: string;
}

export interface Step {
  /** Stable and readable: `move-nodes/talos-wrk-01/restart-pods`. */
  readonly id: string;
  readonly kind: ActionKind;
  readonly phase: Phase;
  readonly title: string;
  readonly nodes: readonly string[];
  readonly action: Action;
  readonly dependsOn: readonly string[];
  readonly gates: readonly Gate[];
  readonly blastRadius: BlastRadius;
  readonly pointOfNoReturn: boolean;
  readonly timeoutSeconds: number;
  /** The action that takes it back; null where nothing needs or can be taken back (`undoNote` says which). */
  readonly undo: Action | null;
  /** What has to follow the undo for it to count: agents read their configuration only when they start. */
  readonly undoThen?: readonly Action[];
  readonly undoNote?: string;
  /** Why this step, here. */
  readonly because: string;
}

/** A node that joined after the plan was made. */
export interface JoinedNode {
  readonly name: string;
  /** A node that the plan knew, as which it is taken in. */
  readonly like: string;
  readonly internalIps: readonly string[];
}

export interface Plan {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Plan';
  readonly id: string;
  /** Of everything but `id`, `hash` and `predictions`. */
  readonly hash: string;
  readonly cluster: { readonly uid: string; readonly name: string };
  /** The facts the plan depends on, by name, each with the hash of its value. */
  readonly fingerprint: Readonly<Record<string, string>>;
  readonly strategy: NodeStrategy;
  readonly from: { readonly cni: string; readonly podCidrs: readonly string[] };
  readonly to: {
    readonly cni: 'cilium';
    readonly version: string;
    readonly podCidrs: readonly string[];
    readonly kubeProxyReplacement: boolean;
  };
  readonly steps: readonly Step[];
  readonly waves: readonly (readonly string[])[];
  readonly guards: readonly string[];
  /** Choices the planner made, with the reason. */
  readonly decisions: readonly {
    readonly about: string;
    readonly choice: string;
    readonly because: string;
  }[];
  readonly predictions?: RehearsalSummary;
  /** What steps need to know of the platform. */
  readonly platform: PlanPlatform;
  /** Nodes that joined since it was made, and are in its steps and waves as if it had known them. */
  readonly joined?: readonly JoinedNode[];
  /** Id of the plan whose changes this one takes back. */
  readonly takesBack?: string;
  /** Workloads (`Kind namespace/name`) that were not ready when the plan was made; no gate waits for them. */
  readonly unreadyBefore: readonly string[];
}

export interface DirectoriesAfter extends RuntimeDirectories {
  /** The runtime's own configuration: it names `cniConfDirectory` for as long as that one counts. */
  readonly runtimeConfig: string;
}

export interface PlanPlatform {
  readonly distribution: string;
  readonly distributionVersion: string;
  readonly kubernetesVersion: string;
  /** Where the runtime looks while the old CNI is there. */
  readonly cniConfDirectory: string;
  readonly cniBinDirectory: string;
  /** Where it looks once the old CNI is switched off, where that is elsewhere. */
  readonly afterOldCni?: DirectoriesAfter;
  /** A reboot empties the conf directory (Talos from 1.14: tmpfs). */
  readonly confDirectoryVolatile: boolean;
  /** The release the plan installs. */
  readonly release: { readonly name: string; readonly namespace: string };
}
