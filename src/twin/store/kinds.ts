/** The kinds the twin's object store holds, each with its shape. */
import type {
  ConfigMapObject,
  ControllerRevisionObject,
  DaemonSetObject,
  DeploymentObject,
  JobObject,
  KubeObject,
  NetworkPolicyObject,
  NodeObject,
  PersistentVolumeClaimObject,
  PersistentVolumeObject,
  PodDisruptionBudgetObject,
  PodObject,
  ReplicaSetObject,
  ServiceObject,
  StatefulSetObject,
  VolumeAttachmentObject,
} from '../../model/kubernetes.ts';

/** Kinds with a typed shape; any other kind is held as a plain `KubeObject`. */
export interface KindMap {
  ConfigMap: ConfigMapObject;
  ControllerRevision: ControllerRevisionObject;
  DaemonSet: DaemonSetObject;
  Deployment: DeploymentObject;
  Job: JobObject;
  NetworkPolicy: NetworkPolicyObject;
  Node: NodeObject;
  PersistentVolume: PersistentVolumeObject;
  PersistentVolumeClaim: PersistentVolumeClaimObject;
  Pod: PodObject;
  PodDisruptionBudget: PodDisruptionBudgetObject;
  ReplicaSet: ReplicaSetObject;
  Service: ServiceObject;
  StatefulSet: StatefulSetObject;
  VolumeAttachment: VolumeAttachmentObject;
}

export type ObjectOf<K extends string> = K extends keyof KindMap ? KindMap[K] : KubeObject;
