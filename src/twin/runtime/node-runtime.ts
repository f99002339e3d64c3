/** What a simulated runtime offers beyond the seam: what a CRI client, a person at the node or a test may ask. */
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { RuntimeTraits } from '../../knowledge/cni-runtimes.ts';
import type { LoadedNetwork } from '../../knowledge/cni-selection.ts';
import type { Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { CniPaths } from '../node/cni-paths.ts';
import type { DirectoryEvent } from '../node/directory-watch.ts';
import type { NodeFileSystem } from '../node/node-file-system.ts';
import type {
  AgentSocket,
  ContainerRuntime,
  NetworkStatus,
  NodeNetwork,
  SandboxRequest,
  SandboxResult,
  StopResult,
} from '../world.ts';
import type { CniState } from './cni-state.ts';
import type { InterfaceAddress } from './go-cni.ts';
import type { NodeLinks } from './node-links.ts';
import type { CallTrace } from './plugin-call.ts';
import type { AskApiServer, PluginProgram } from './plugin-host.ts';

export interface RuntimeOptions {
  readonly kind: 'containerd' | 'cri-o';
  readonly version: string;
  readonly node: string;
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly files: NodeFileSystem;
  readonly sockets: ReadonlyMap<string, AgentSocket>;
  readonly network?: NodeNetwork;
  /** For plugins that are clients of the API server themselves. */
  readonly apiServer?: AskApiServer;
  readonly confDirectory: string;
  readonly binDirectories: readonly string[];
  /** `max_conf_num`, 1 unless told. */
  readonly maxConfNum?: number;
  /** containerd brings up `lo` itself instead of calling the plugin. */
  readonly internalLoopback?: boolean;
  /** Programs besides those the twin knows, by the name in their binary. */
  readonly programs?: ReadonlyMap<string, PluginProgram>;
  readonly trace?: RuntimeTrace;
}

/** For those who compare with measurements. */
export interface RuntimeTrace {
  readonly call?: (call: CallTrace) => void;
  /** `reloads`: whether the runtime reads its directory again for it. */
  readonly event?: (event: DirectoryEvent, reloads: boolean) => void;
  /** The error of a sandbox that could not be made, whether or not a client still waits for it. */
  readonly log?: (message: string) => void;
}

export interface RunOptions {
  /** Part of the sandbox's name; without it, what earlier attempts left is cleaned up first. */
  readonly attempt?: number;
  /** After which the client gives up, and a running plugin is killed. */
  readonly timeoutMs?: number;
}

export interface SandboxState {
  readonly id: string;
  readonly request: SandboxRequest;
  readonly ready: boolean;
  readonly ip: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Whether its network namespace is still there. */
  readonly netnsOpen: boolean;
  readonly defaultRoute: boolean;
}

export interface NodeRuntime extends ContainerRuntime {
  readonly traits: RuntimeTraits;
  /** What the runtime finds wrong with a network before it takes it; CRI-O only. */
  refusal(network: CniNetwork): string | undefined;
  readonly state: CniState;
  readonly links: NodeLinks;
  readonly running: boolean;
  /** CRI Status, which may have to wait for a reload that waits for an ADD. */
  status(done: (status: NetworkStatus) => void): void;
  /** The last load's own words; `OK` when it went well. */
  loadStatus(): string;
  loadedNetworks(): readonly LoadedNetwork[];
  runPodSandbox(
    request: SandboxRequest,
    options: RunOptions,
    done: (result: SandboxResult) => void,
  ): void;
  removePodSandbox(id: string, done: (result: StopResult) => void): void;
  /** Sets up a pod that ran before the twin starts: no time passes, nothing is recorded. */
  adopt(request: SandboxRequest): SandboxResult;
  sandboxState(id: string): SandboxState | undefined;
  sandboxStates(): readonly SandboxState[];
  /** Somebody removed the pod's network namespace behind the runtime's back. */
  loseNetns(id: string): void;
  /** Where the node's kernel sends a connection to its host port: the first rule that matches. */
  hostPortTarget(protocol: string, hostPort: number): string | undefined;
  /** Its process ends; sandboxes live on. */
  halt(): void;
  /** After `halt`; it looks in other places than before where it was told to. */
  begin(places?: CniPaths): void;
  /** Another version is installed; it counts from the next start. */
  install(version: string): void;
}
