/**
 * What differs between distributions once facts are known: where the runtime looks for confs, which
 * objects carry the old CNI and kube-proxy, and what the distribution itself has to be told so that the
 * change lasts. Everything else of a plan is the same on all of them.
 */
import type { ClusterFacts, NodeFacts } from '../../model/facts.ts';
import type { Finding } from '../../model/finding.ts';
import type { DirectoriesAfter, ObjectSelector, ServiceProof } from '../../model/plan.ts';
import type { CniDirectories } from '../../knowledge/distributions.ts';
import type { Decision } from '../intent.ts';
import type { OldNetwork } from './old-network.ts';

export interface NamedObject {
  readonly namespace: string;
  readonly name: string;
}

/** What adapters choose by, plain already. */
export interface DistributionContext {
  readonly facts: ClusterFacts;
  readonly controlPlanes: readonly NodeFacts[];
  readonly workers: readonly NodeFacts[];
  readonly kubernetesVersion: string;
  readonly flannelDaemonSet: NamedObject;
  readonly kubeProxyPresent: boolean;
}

export interface DistributionAdapter {
  /** Where the runtime looks while the old CNI is there. */
  readonly directories: CniDirectories;
  /** Where it looks once the old CNI is switched off; undefined where that changes nothing. */
  readonly afterOldCni: DirectoriesAfter | undefined;
  readonly oldNetwork: OldNetwork;
  /** The old CNI in the API, in the order in which it is deleted; none where it is part of a process of the system. */
  readonly oldCni: readonly ObjectSelector[];
  /** What brings those objects back: the back-up, or the service when it is told what it was told before. */
  readonly oldCniReturns: 'from-backup' | 'with-service';
  /** kube-proxy in the API; none where it is part of a process of the system. */
  readonly kubeProxy: readonly ObjectSelector[];
  /** What the system's own service is told instead of, or besides, deleting objects. */
  readonly service: ((kubeProxyReplaced: boolean) => ServiceChange) | undefined;
  /** What a person should know of it before. */
  readonly notes?: readonly Decision[];
  /** What the distribution cannot do, or no steps are known for. */
  readonly refusals: readonly Finding[];
}

/** A configuration that is written everywhere first, and taken by restarts in the order given. */
export interface ServiceChange {
  readonly path: string;
  readonly content: string;
  /** Nodes whose service reads the file. */
  readonly writtenOn: readonly string[];
  readonly restarts: readonly ServiceRestart[];
  readonly proof: ServiceProof;
}

export interface ServiceRestart {
  readonly service: string;
  /** Restarted one after the other. */
  readonly nodes: readonly string[];
  /** Its restart takes a member of etcd away for a moment. */
  readonly hasEtcd: boolean;
  readonly title: string;
  readonly because: string;
  /** Where what it leaves is not what the others leave. */
  readonly proof?: ServiceProof;
}
