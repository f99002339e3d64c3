/**
 * Status fields of workloads that `kubectl rollout status`, `kubectl wait` and `helm --wait` look at,
 * worked out from the counts that the twin's controllers keep (KK pkg/controller/deployment/util,
 * daemon, statefulset). Nothing is minded as available later than it is ready: minReadySeconds is 0.
 */
import type {
  Condition,
  DaemonSetObject,
  DeploymentObject,
  JobObject,
  KubeObject,
  PodDisruptionBudgetObject,
  ReplicaSetObject,
  StatefulSetObject,
} from '../../../../../model/kubernetes.ts';
import { countOf } from '../../../../controllers/pod-factory.ts';
import { type Tree } from '../../../../../base/json-tree.ts';

/** Undefined where the object is shown as it is. */
export function statusShown(object: KubeObject): Tree | undefined {
  // In each case the kind says the shape.
  switch (object.kind) {
    case 'Deployment':
      return ofDeployment(object as DeploymentObject);
    case 'ReplicaSet':
      return ofReplicaSet(object as ReplicaSetObject);
    case 'DaemonSet':
      return ofDaemonSet(object as DaemonSetObject);
    case 'StatefulSet':
      return ofStatefulSet(object as StatefulSetObject);
    case 'Job':
      return ofJob(object as JobObject);
    case 'PodDisruptionBudget':
      return ofBudget(object as PodDisruptionBudgetObject);
    default:
      return undefined;
  }
}

function ofDeployment({ spec, status = {}, metadata }: DeploymentObject): Tree {
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0 } = status;
  const most = countOf(spec.strategy?.rollingUpdate?.maxUnavailable ?? '25%', wanted, 'down') ?? 0;
  const isAvailable = readyReplicas >= wanted - most;
  const isDone = updatedReplicas === wanted && replicas === wanted && readyReplicas === wanted;
  const since = metadata.creationTimestamp;
  const conditions: readonly Condition[] = [
    {
      type: 'Available',
      status: isAvailable ? 'True' : 'False',
      reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
      ...(since === undefined ? {} : { lastTransitionTime: since }),
    },
    {
      type: 'Progressing',
      status: 'True',
      reason: isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
      message: isDone
        ? `Deployment "${metadata.name}" has successfully progressed.`
        : `Deployment "${metadata.name}" is progressing.`,
      ...(since === undefined ? {} : { lastTransitionTime: since }),
    },
  ];
  return {
    ...status,
    ...count('replicas', replicas),
    ...count('readyReplicas', readyReplicas),
    ...count('updatedReplicas', updatedReplicas),
    ...count('availableReplicas', readyReplicas),
    ...count('unavailableReplicas', Math.max(0, Math.max(wanted, replicas) - readyReplicas)),
    conditions: 'conditions' in status ? status.conditions : conditions,
  };
}

function ofReplicaSet({ status = {}, metadata }: ReplicaSetObject): Tree {
  const { replicas = 0, readyReplicas = 0 } = status;
  return {
    ...status,
    replicas,
    ...count('fullyLabeledReplicas', replicas),
    ...count('readyReplicas', readyReplicas),
    ...count('availableReplicas', readyReplicas),
    observedGeneration: metadata.generation ?? 1,
  };
}

function ofDaemonSet({ status = {} }: DaemonSetObject): Tree {
  const { desiredNumberScheduled = 0, numberReady = 0 } = status;
  return {
    numberMisscheduled: 0,
    currentNumberScheduled: 0,
    desiredNumberScheduled,
    numberReady,
    ...status,
    ...count('numberAvailable', numberReady),
    ...count('numberUnavailable', desiredNumberScheduled - numberReady),
  };
}

function ofStatefulSet({ spec, status = {}, metadata }: StatefulSetObject): Tree {
  const { replicas = 0, readyReplicas = 0 } = status;
  const told: Tree = status;
  const revision = told['updateRevision'] ?? `${metadata.name}-${metadata.generation ?? 1}`;
  return {
    observedGeneration: metadata.generation ?? 1,
    currentRevision: revision,
    updateRevision: revision,
    currentReplicas: replicas,
    updatedReplicas: Math.min(replicas, spec.replicas ?? 1),
    ...status,
    replicas,
    ...count('readyReplicas', readyReplicas),
    availableReplicas: readyReplicas,
  };
}

function ofJob({ spec, status = {}, metadata }: JobObject): Tree {
  const { succeeded = 0 } = status;
  const isComplete = succeeded >= (spec.completions ?? 1);
  const since = metadata.creationTimestamp;
  const condition = {
    type: 'Complete',
    status: 'True',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
    ...(since === undefined ? {} : { lastProbeTime: since, lastTransitionTime: since }),
  };
  return {
    ready: 0,
    terminating: 0,
    ...(since === undefined ? {} : { startTime: since }),
    ...status,
    ...(isComplete && since !== undefined ? { completionTime: since } : {}),
    ...(isComplete
      ? {
          conditions: [{ ...condition, type: 'SuccessCriteriaMet' }, condition],
        }
      : {}),
  };
}

function ofBudget({ status = {}, metadata }: PodDisruptionBudgetObject): Tree {
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0 } = status;
  const { generation = 1, creationTimestamp = '' } = metadata;
  const isSufficient = disruptionsAllowed > 0;
  return {
    observedGeneration: generation,
    expectedPods: 0,
    ...status,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: isSufficient ? 'True' : 'False',
        reason: isSufficient ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        observedGeneration: generation,
        lastTransitionTime: creationTimestamp,
      },
    ],
  };
}

/** Counts of zero are left out, as Go does with `omitempty`. */
function count(name: string, value: number): Tree {
  return value > 0 ? { [name]: value } : {};
}
