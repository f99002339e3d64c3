/** The ports: everything that acts on a cluster goes through these. */
export type { ClockPort } from './clock.ts';
export { isUnfinished } from './helm.ts';
export type {
  HelmPort,
  HelmValues,
  ReleaseRequest,
  ReleaseRevision,
  ReleaseState,
  ReleaseStatus,
  ReleaseWriteOptions,
} from './helm.ts';
export type {
  ApplyOptions,
  AuthenticationFailures,
  DeleteOptions,
  EvictionAnswer,
  EvictOptions,
  JsonPatchOperation,
  KubernetesPort,
  KubernetesReads,
  KubernetesWrites,
  ListPage,
  ObjectAddress,
  PageOptions,
  PatchBody,
  PatchOptions,
  RawListPage,
  ReplaceOptions,
  ServedResource,
  ServedResources,
  ServerVersion,
  WriteOptions,
} from './kubernetes.ts';
export type { CallOptions, ListOptions } from './kubernetes-calls.ts';
export type {
  ContainerPort,
  ExecRequest,
  ExecResult,
  LogRequest,
} from './kubernetes-containers.ts';
export type { WatchEvent, WatchOptions } from './kubernetes-watch.ts';
export type {
  EtcdMember,
  NodeHostPort,
  PatchMode,
  SnapshotOutcome,
  EtcdSnapshotSink,
} from './node-host.ts';
export type { ClosedPath, FailingPath, ProberPort, UnknownPaths } from './prober.ts';

import type { ClockPort } from './clock.ts';
import type { HelmPort } from './helm.ts';
import type { KubernetesPort } from './kubernetes.ts';
import type { NodeHostPort } from './node-host.ts';
import type { ProberPort } from './prober.ts';

/** What the engine is handed; it does not know which set of adapters is behind it. */
export interface Ports {
  readonly clock: ClockPort;
  readonly kubernetes: KubernetesPort;
  readonly nodeHost: NodeHostPort;
  readonly helm: HelmPort;
  readonly prober: ProberPort;
}
