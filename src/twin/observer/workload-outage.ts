/**
 * How long a workload had no pod ready at all, of those that said they must have: two replicas or more,
 * and a PodDisruptionBudget over them. A pod that is to go is an endpoint no longer. A Deployment counts
 * over all of its ReplicaSets, so that a roll-out is no outage by itself.
 */
import { controllerOf, type KubeObject } from '../../model/kubernetes.ts';
import type { CoveredWorkloads } from '../../model/rehearsal.ts';
import { budgetsOf } from '../controllers/disruption.ts';
import { POD_COUNT } from '../store/pod-changes.ts';
import type { World } from '../world.ts';

interface Workload {
  /** UIDs of the sets that own its pods. */
  readonly sets: Set<string>;
  /** Undefined while some pod is ready. */
  since: number | undefined;
  outageMs: number;
}

const REPLICAS_LEAST = 2;

export class WorkloadOutage {
  private readonly world: World;
  private readonly bySet = new Map<string, Workload>();
  private readonly byDeployment = new Map<string, Workload>();
  private readonly all: Workload[] = [];

  constructor(world: World) {
    this.world = world;
    const { store } = world;
    if (store.first('PodDisruptionBudget') === undefined) return;
    for (const kind of ['ReplicaSet', 'StatefulSet'] as const)
      for (const set of store.list(kind)) this.begin(set, set.spec.replicas ?? 1);
    store.watch('ReplicaSet', ({ type, object }) => {
      if (type === 'added') this.join(object);
    });
    store.watchPods({ parts: POD_COUNT }, ({ object }) => {
      const workload = this.bySet.get(controllerOf(object)?.uid ?? '');
      if (workload !== undefined) this.look(workload);
    });
  }

  report(): CoveredWorkloads {
    const now = this.world.kernel.now();
    const outages = this.all.map(
      ({ outageMs, since }) => outageMs + (since === undefined ? 0 : now - since),
    );
    return {
      count: this.all.length,
      outageSeconds: {
        total: rounded(outages.reduce((sum, outage) => sum + outage, 0)),
        max: rounded(outages.reduce((most, outage) => Math.max(most, outage), 0)),
      },
    };
  }

  private begin(set: KubeObject, replicas: number): void {
    const uid = set.metadata.uid ?? '';
    const [pod] = this.world.store.podsOf(uid);
    // One that had no pod ready before has nothing to lose.
    if (replicas < REPLICAS_LEAST || pod === undefined || this.readyOf(uid) === 0) return;
    if (budgetsOf(this.world.store).of(pod).length === 0) return;
    const workload: Workload = { sets: new Set([uid]), since: undefined, outageMs: 0 };
    this.all.push(workload);
    this.bySet.set(uid, workload);
    const deployment = controllerOf(set);
    if (deployment !== undefined) this.byDeployment.set(deployment.uid, workload);
  }

  /** A further ReplicaSet of a Deployment that is followed. */
  private join(set: KubeObject): void {
    const workload = this.byDeployment.get(controllerOf(set)?.uid ?? '');
    const { uid = '' } = set.metadata;
    if (workload === undefined) return;
    workload.sets.add(uid);
    this.bySet.set(uid, workload);
  }

  private look(workload: Workload): void {
    const now = this.world.kernel.now();
    let ready = 0;
    for (const uid of workload.sets) ready += this.readyOf(uid);
    if (ready === 0) workload.since ??= now;
    else if (workload.since !== undefined) {
      workload.outageMs += now - workload.since;
      workload.since = undefined;
    }
  }

  private readyOf(uid: string): number {
    return this.world.store.tallyOf(uid).ready;
  }
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
