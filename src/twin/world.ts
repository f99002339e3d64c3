/**
 * The seams of the twin: what its parts are to each other. A part is handed the world and talks to
 * the others through these shapes only; the parts are put together in `scenario/build-world.ts`.
 */
import type { OccurrenceId } from '../model/occurrence.ts';
import type { Container, PodObject } from '../model/kubernetes.ts';
import type { AuthenticationFailures } from '../ports/index.ts';
import type { Constants } from './constants.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { SystemService, TalosSystem } from './machine/systems.ts';
import type { ObjectStore } from './store/object-store.ts';

export interface World {
  readonly kernel: Kernel;
  readonly store: ObjectStore;
  readonly constants: Constants;
  readonly versions: WorldVersions;
  readonly nodes: ReadonlyMap<string, TwinNode>;
  readonly fabric: Fabric;
  readonly api: ApiServer;
}

export interface WorldVersions {
  readonly kubernetes: string;
  readonly distribution: 'talos' | 'k3s' | 'rke2' | 'kubeadm';
  /** The distribution's own version, e.g. Talos `1.10.2`. */
  readonly distributionVersion: string;
}

/** One node: the parts that live and die with the machine. */
export interface TwinNode {
  readonly name: string;
  readonly address: string;
  readonly role: 'control-plane' | 'worker';
  readonly files: NodeFiles;
  readonly runtime: ContainerRuntime;
  readonly kubelet: Kubelet;
  readonly network: NodeNetwork;
  readonly machine: Machine;
  /** What serves on the node's Unix sockets, by path; absent when nothing listens. */
  readonly sockets: Map<string, AgentSocket>;
}

// ---------------------------------------------------------------- files

export interface NodeFiles {
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Base names in the directory; undefined when it does not exist. */
  list(directory: string): readonly string[] | undefined;
  write(path: string, content: string, options?: { readonly mode?: number }): void;
  remove(path: string): void;
  rename(from: string, to: string): void;
  mkdir?(path: string): void;
  chmod?(path: string, mode: number): void;
  /** What is at the path itself: a link is a link. Undefined when there is nothing. */
  stat?(path: string): FileStat | undefined;
  /** Why the path is as it is: what wrote it, or what removed it. */
  causesOf(path: string): readonly OccurrenceId[];
  /** Calls the listener after an entry of the directory was written, renamed or removed; returns the way out. */
  watch?(directory: string, listener: (name: string) => void): () => void;
  /** What would be left of a path after a reboot now. */
  survives(path: string, event: 'reboot' | 'upgrade' | 'ephemeral-wipe'): boolean;
  /** Empties what the event empties; called by the machine. */
  lose(event: 'reboot' | 'upgrade' | 'ephemeral-wipe'): void;
}

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  /** Bytes; of a link, of its target's name. */
  readonly size: number;
  /** Where a link points. */
  readonly target?: string;
}

// ---------------------------------------------------------------- runtime

export interface SandboxRequest {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly hostNetwork: boolean;
  readonly hostPorts: readonly {
    readonly hostPort: number;
    readonly containerPort: number;
    readonly protocol: string;
  }[];
  /** The address it has already; only for a pod that ran before the twin starts. */
  readonly ip?: string;
}

export type SandboxResult =
  | {
      readonly ok: true;
      readonly id: string;
      /** Undefined for hostNetwork. */
      readonly ip: string | undefined;
      /** The plugin that gave the address: `flannel`, `cilium-cni`, `bridge`; undefined for hostNetwork. */
      readonly plugin: string | undefined;
    }
  | { readonly ok: false; readonly message: string; readonly because: readonly OccurrenceId[] };

export type StopResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string; readonly because: readonly OccurrenceId[] };

export interface NetworkStatus {
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}

export interface ContainerRuntime {
  readonly name: 'containerd' | 'cri-o';
  readonly version: string;
  /** Where it looks for CNI confs and plugins, since its last start; the defaults when absent. */
  readonly places?: { readonly confDirectory: string; readonly binDirectories: readonly string[] };
  networkStatus(): NetworkStatus;
  /**
   * Calls the listener after a change that can change `networkStatus()` (conf loaded or dropped, runtime
   * restarted), so that nothing has to ask every five seconds. A runtime without it is polled.
   */
  onStatusChange?(listener: () => void): void;
  /** Answers by callback, in virtual time; plugins may take long. */
  runSandbox(request: SandboxRequest, done: (result: SandboxResult) => void): void;
  stopSandbox(id: string, done: (result: StopResult) => void): void;
  removeSandbox(id: string): void;
  /** Sandboxes alive now, by pod UID. */
  sandboxOf(podUid: string): { readonly id: string; readonly ip: string | undefined } | undefined;
  restart(): void;
  /** The machine went down: processes and network namespaces are gone, state on disk stays. */
  powerLost(): void;
  powerOn(): void;
}

// ---------------------------------------------------------------- kubelet and processes

export interface Kubelet {
  /** Takes over pods that ran before the twin starts, without starting them again. */
  adopt(pod: PodObject, sandbox: { readonly id: string; readonly ip: string | undefined }): void;
  restart(): void;
  /** The manifest of a static pod is gone: it ends. */
  endStatic?(podUid: string): void;
  /** Its process ends, as part of another that does; pods run on. */
  stop?(): void;
  /** After `stop`. */
  startAgain?(): void;
  powerLost(): void;
  powerOn(): void;
  readonly running: boolean;
  /**
   * The system announces its shutdown: ends all pods, ordinary ones first, and stops. `done` is called
   * when it has, or when the time for it is over. A kubelet without it is stopped with its pods running.
   */
  shutDown?(done: () => void): void;
  /** Ends the pod's sandbox so that a new one is made in place. */
  restartSandbox(podUid: string): void;
  /** The process of a container that runs now. */
  process(podUid: string, container: string): Process | undefined;
  /**
   * What a container has printed in its run now or its last, or in the run before that; undefined where
   * there was no such run. A kubelet without it knows of no logs.
   */
  logOf?(podUid: string, container: string, which: 'latest' | 'previous'): ContainerLog | undefined;
  /** State of the projected service account token of a pod. */
  tokenOf(podUid: string): ServiceAccountToken | undefined;
}

/** What one run of a container prints. */
export interface ContainerLog {
  /** Oldest first; the oldest of very many are gone. */
  readonly lines: readonly LogLine[];
  readonly ended: boolean;
  /** Calls the listener with each later line, and with undefined at the end; returns the way out. */
  follow(listener: (line: LogLine | undefined) => void): () => void;
}

export interface LogLine {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly text: string;
}

/** What runs in a container, as a mechanism: flanneld, an agent, an app. Found by image. */
export type Program = (host: ProcessHost) => Process;

export interface Process {
  /** The container is being stopped (SIGTERM, power lost): stop acting. Never called twice. */
  stop(reason: 'terminated' | 'power-lost'): void;
  /** Somebody is about to read the log: what follows from the present alone is printed now. */
  beforeRead?(): void;
}

export interface ProcessHost {
  readonly world: World;
  readonly node: TwinNode;
  /** The pod as it was when the container started. */
  readonly pod: PodObject;
  readonly container: Container;
  readonly init: boolean;
  /** True for a process that ran before the twin started: it is up, its traces are on the node already. */
  readonly adopted?: boolean;
  /** Prints a line to the container's log (`kubectl logs`). */
  log(line: string): void;
  /** The process ended; its message is the last it prints. An init container that exits 0 is done. */
  exit(code: number, message?: string): void;
  /** What a readiness probe that reaches the process would see. */
  setReady(ready: boolean): void;
  /** What a liveness probe would see; false makes the kubelet restart the container. */
  setLive(live: boolean): void;
}

export interface ServiceAccountToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly serviceAccountUid: string;
  readonly podUid: string;
  /** For the API server's check that the pod is still there; unchecked when absent. */
  readonly podName?: string;
  readonly issuedAtMs: number;
  readonly because: readonly OccurrenceId[];
}

/** What a CNI plugin asks over the agent's Unix socket. */
export interface AgentSocket {
  allocate(
    request: SandboxRequest,
  ):
    { readonly ip: string } | { readonly error: string; readonly because: readonly OccurrenceId[] };
  release(podUid: string): void;
}

// ---------------------------------------------------------------- API server

export type ApiIdentity =
  | { readonly kind: 'certificate'; readonly user: string }
  | { readonly kind: 'token'; readonly token: ServiceAccountToken };

export type ApiVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly failure: 'unauthorized' | 'unreachable';
      readonly message: string;
      readonly because: readonly OccurrenceId[];
    };

export type AdmissionVerdict =
  | { readonly ok: true; readonly delayMs?: number }
  | {
      readonly ok: false;
      readonly message: string;
      readonly because: readonly OccurrenceId[];
      readonly delayMs?: number;
    };

export interface ApiServer {
  /** Whether a client with this identity gets an answer at all (authentication; quorum). */
  check(identity: ApiIdentity): ApiVerdict;
  /** Control plane up, etcd with quorum. */
  healthy(): boolean;
  unauthorizedCount(): number;
  /** As the process that answers now counts them in its metrics. */
  authenticationFailures(): AuthenticationFailures;
  /** Somebody from outside of the twin is not known, and is answered 401. */
  refuseStranger(): void;
  /** Whether one of its processes runs on the node. */
  runsOn(node: TwinNode): boolean;
  /** What cost etcd its quorum; empty while it has one. */
  whyNoQuorum?(): readonly OccurrenceId[];
  /** Runs the action now, or once the API server answers again. */
  whenHealthy?(action: () => void): void;
  /** Something a control plane stands on has started or stopped; called by kubelets and machines. */
  controlPlaneChanged?(): void;
  /** Admission of a write that a client makes; webhooks may refuse. `delayMs`: what webhooks that time out cost. */
  admit(
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    kind: string,
    namespace: string | undefined,
    labels?: Readonly<Record<string, string>>,
  ): AdmissionVerdict;
}

// ---------------------------------------------------------------- network

/** A pod's attachment to a network of the node. */
export interface Attachment {
  readonly podUid: string;
  readonly ip: string;
  /** Which data path carries it. */
  readonly network: 'flannel' | 'cilium' | 'bridge';
  /** The host's end of a pair of the pod's own, where no bridge takes it up. */
  readonly hostLink?: string;
  readonly hostPorts: SandboxRequest['hostPorts'];
}

/** Links, attachments and rules in a node's kernel. Changed by plugins, agents and reboots. */
export interface NodeNetwork {
  attach(attachment: Attachment): void;
  detach(podUid: string): void;
  /** An attempt to attach the pod failed: that is why it has no attachment now. */
  attachFailed?(podUid: string, because: readonly OccurrenceId[]): void;
  attachmentOf(podUid: string): Attachment | undefined;
  /** What took the pod's attachment away, or kept it from one. */
  whyDetached?(podUid: string): readonly OccurrenceId[];
  links(): readonly string[];
  removeLink(name: string): void;
  /** All of it is gone; called by the machine. */
  powerLost(): void;
  /** The node answers again; called by the machine, so that paths to the host are looked at anew. */
  powerOn?(): void;
  /** What made a part of it as it is, or took it away: a plugin that misses flannel's state says so. */
  why?(part: 'flannel' | 'cilium' | 'kube-proxy'): readonly OccurrenceId[];
  /** Grows with every change that can change a path's fate. */
  readonly epoch: number;
}

export type NetworkEnd =
  | { readonly kind: 'pod'; readonly pod: PodObject }
  | { readonly kind: 'host'; readonly node: string }
  | { readonly kind: 'outside' };

export type Destination =
  | NetworkEnd
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly name: string;
      readonly port?: number;
    }
  | {
      readonly kind: 'nodeport';
      readonly node: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: 'apiserver' }
  | { readonly kind: 'dns'; readonly question: 'internal' | 'external' };

export interface PathVerdict {
  readonly ok: boolean;
  /** The address the receiver sees; null when nothing arrives. */
  readonly sourceSeen: string | null;
  /** Why not; empty when ok. */
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}

/** The network between nodes: whether a packet arrives, by walking the state on its way. */
export interface Fabric {
  reach(from: NetworkEnd, to: Destination): PathVerdict;
  /**
   * Called after a change on the node that can change a path's fate; with the pod's UID when nothing but
   * that pod's attachment changed, so that the paths of its neighbours need no second look.
   */
  onChange(listener: (node: string, podUid: string | undefined, ways: Ways) => void): void;
}

/**
 * Ways of packets that may be others than before: all that touch the node, all but those from the node
 * itself to its own pods, or none.
 */
export type Ways = 'all' | 'between-nodes' | 'none';

// ---------------------------------------------------------------- machine

/** The machine and its operating system. */
export interface Machine {
  readonly up: boolean;
  readonly bootId: string;
  /** The active machine config, all documents, as YAML; empty where the distribution has none. */
  config(): string;
  /** Refused with the system's own message, or applied; `auto` may reboot. */
  patchConfig(
    patch: string,
    mode: 'auto' | 'no-reboot' | 'reboot' | 'staged' | 'try',
  ): { readonly ok: true } | { readonly ok: false; readonly message: string };
  reboot(): void;
  /** Installs the image and reboots, as the version's own upgrade path does. */
  upgrade(image: string, options: { readonly preserve: boolean }): void;
  restartService(
    service: string,
  ): { readonly ok: true } | { readonly ok: false; readonly message: string };
  /** What Talos's own API does besides; absent on other distributions. */
  readonly talos?: TalosSystem;
  /** The service that holds what elsewhere runs in pods; absent where there is none. */
  readonly service?: SystemService;
}
